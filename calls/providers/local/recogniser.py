"""PocketSphinx with two vocabularies over the same audio: the whole of English, and the agent's script.

The open vocabulary gets the gist of free human speech; the script's small model gets its own sentences right, from
synthetic voices too, and makes junk of everything else. Which of the two has understood is seen from the scores of
their best paths.
"""

import math
import re
import shutil
from typing import Any

import numpy as np
from msgspec import Struct
from pocketsphinx import Decoder, get_model_path, set_loglevel

from calls.providers.local.frames import Listen
from calls.providers.local.script_model import DICTIONARY, LM, model_folder

_MODEL = "en-us"
_MEAN = "51.7,-0.5,-2.2,21.1,-12.2,2,-7,-8.1,0.9,-5.2,0.9,-3.1,-3.2"
"""Cepstral mean to begin with, between human and synthetic voices. With the library's own the first words of a call are
lost: a third of the script's words wrong instead of a seventh."""
_EXACT_BYTES = 6 * 32_000
"""Utterances up to 6 s are heard again in the script's vocabulary with their own mean, which halves its errors.

It takes about 7 % of their length; longer ones have moved the running mean where it belongs by themselves."""
_SCRIPT_MARGIN = 1.5e-4
"""How much likelier per frame (log score) the script's path must be; measured on human and synthetic speech."""
_CERTAINTY_MARGIN = 5.0
"""How much less probable (log posterior) the script's words may be than the open vocabulary's."""
_NOISE = 20.0
_NOISE_SHARE = 0.01
"""The models were trained on microphones: in silence without any noise they hear words. So a little is added, 20 steps
of 16 bit or a hundredth of a quiet caller's level; it takes the errors on synthetic voices from a third to a tenth."""
_VARIANT = re.compile(r"\(\d+\)")


class Guess(Struct, frozen=True, gc=False):
    """Words, and how sure the recogniser is of each on average (0 to 1)."""

    text: str
    confidence: float


class _Path(Struct, frozen=True, gc=False):
    text: str
    score: float
    """Log score of the best path per frame."""
    certainty: float
    """Log posterior probability of the words; 0 before the utterance has ended."""


class OpenVocabulary:
    """What all calls share: the acoustic model, the full dictionary and the general language model (0.3 s, 100 MB)."""

    def __init__(self) -> None:
        set_loglevel("FATAL")  # the lower levels would write what callers say to the log
        # The second pass (fwdflat) makes the end of a long utterance ten times slower and nothing better.
        self.decoder = _decoder(
            get_model_path(f"{_MODEL}/cmudict-en-us.dict"),
            get_model_path(f"{_MODEL}/en-us.lm.bin"),
            fwdflat=False,
            cmninit=_MEAN,
        )

    def for_script(self, listen: Listen) -> "Recogniser":
        """Give a recogniser that also knows the script, if there is one."""
        if not listen.sentences:
            return Recogniser(self.decoder)
        folder, is_temporary = model_folder(listen, self.decoder.lookup_word)
        files = str(folder / DICTIONARY), str(folder / LM)
        script, exact = _decoder(*files, fwdflat=False, cmninit=_MEAN), _decoder(*files, cmn="batch")
        if is_temporary:
            shutil.rmtree(folder, ignore_errors=True)
        return Recogniser(self.decoder, script, exact)


def _decoder(dictionary: str, model: str, **options: Any) -> Any:
    return Decoder(hmm=get_model_path(f"{_MODEL}/{_MODEL}"), dict=dictionary, lm=model, loglevel="FATAL", **options)


class Recogniser:
    """Hears utterance after utterance of one caller.

    ``free`` knows English, ``script`` the script; ``exact`` is the script's once more, for whole utterances.
    """

    def __init__(self, free: Any, script: Any | None = None, exact: Any | None = None) -> None:
        self._free = free
        self._script = script
        self._exact = exact
        self._live = [free] if script is None else [free, script]
        self._audio = bytearray()
        self._random = np.random.default_rng(0)
        self._noise = _NOISE

    def begin(self) -> None:
        """Begin an utterance."""
        self._audio.clear()
        for decoder in self._live:
            decoder.start_utt()

    def feed(self, pcm: bytes) -> None:
        """Take audio, PCM16 at 16 kHz."""
        noisy = self._add_noise(pcm)
        self._audio += noisy
        for decoder in self._live:
            decoder.process_raw(noisy)

    def _add_noise(self, pcm: bytes) -> bytes:
        samples = np.frombuffer(pcm, "<i2")
        noisy = samples + self._noise * self._random.standard_normal(len(samples), np.float32)
        clipped: bytes = np.clip(noisy, -32768, 32767).astype("<i2").tobytes()
        return clipped

    def partial(self) -> Guess:
        """Give the words so far."""
        return _choose(self._free, self._script)

    def finish(self) -> Guess:
        """End the utterance and give its words."""
        for decoder in self._live:
            decoder.end_utt()
        self._noise = min(_NOISE, _NOISE_SHARE * _level(self._audio))
        if self._exact is None or not 0 < len(self._audio) <= _EXACT_BYTES:
            return _choose(self._free, self._script)
        self._exact.start_utt()
        self._exact.process_raw(bytes(self._audio), full_utt=True)
        self._exact.end_utt()
        return _choose(self._free, self._exact)


def _level(pcm: bytearray) -> float:
    """Root mean square of the whole utterance."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    return float(np.sqrt((samples**2).mean())) if len(samples) else 0.0


def _choose(free: Any, script: Any | None) -> Guess:
    chosen = _path(free)
    if script is not None and _is_script(chosen, in_script := _path(script)):
        chosen = in_script
    words = len(chosen.text.split())
    return Guess(chosen.text, math.exp(chosen.certainty / words) if words else 0.0)


def _is_script(free: _Path, script: _Path) -> bool:
    is_likelier = script.score - free.score >= _SCRIPT_MARGIN
    return bool(script.text) and is_likelier and script.certainty >= free.certainty - _CERTAINTY_MARGIN


def _path(decoder: Any) -> _Path:
    found = decoder.hyp()
    if found is None:
        return _Path("", -math.inf, 0.0)
    frames = max(decoder.n_frames(), 1)
    return _Path(_VARIANT.sub("", found.hypstr).strip(), _log(found.score) / frames, min(_log(found.prob), 0.0))


def _log(value: float) -> float:
    return math.log(max(value, 1e-300))
