"""One persona on one call: a script with ears, a mouth and a telephone. Its clock are the frames that go by."""

from collections import deque
from collections.abc import Callable, Mapping
from math import pi

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from calls.enums import AudioEncoding
from calls.sandbox.ears import FRAME_MS, Ears
from calls.sandbox.leg import FRAME_BYTES, SILENCE
from calls.sandbox.steps import Beep, HangUp, Heard, Listen, Press, Ring, Say, Script, Step, Verdict, Wait
from calls.wire.audio import decode, encode

_LEVEL = 0.25
"""Amplitude of tones, full scale being 1."""
_WORD_MS = 240
"""Speech that is shorter is none."""
_PUT_THROUGH_MS = 4_000
"""Who was on hold and is spoken to again waits for who comes to the telephone."""
_RING_HZ = (440, 480)
_SAMPLES = FRAME_BYTES


class Line(Struct, frozen=True, kw_only=True):
    """The telephone that a persona talks through. Levels in dB of full scale."""

    echo_db: float | None = None
    """How loud what it plays comes back into its microphone."""
    echo_ms: float = 160
    noise_dbfs: float | None = None


class Person:
    """Somebody who has picked up. ``speech``: the lines of the script as mu-law at 8 kHz."""

    def __init__(self, script: Script, speech: Mapping[str, bytes], line: Line | None = None) -> None:
        self.is_gone = False
        """Whether the receiver was put down."""
        self.answered_by = ""
        """The verdict of answering machine detection, as soon as there is one."""
        self.pressed: deque[str] = deque()
        """Keys that nobody has taken yet."""
        self.elapsed_ms = 0.0
        self.longest_silence_ms = 0.0
        """In which neither side made a sound."""
        self.said: list[str] = []
        self._script = script
        self._speech = speech
        self._ears = Ears()
        self._silence_ms = 0.0
        self._mouth: deque[bytes] = deque()
        self._line = line or Line()
        self._echo: deque[bytes] = deque([SILENCE] * round(self._line.echo_ms / FRAME_MS))
        self._noise = None if self._line.noise_dbfs is None else _noise(self._line.noise_dbfs)
        self._step: Step | None = None
        self._step_ms = 0.0
        self._go_on(None)

    def exchange(self, heard: bytes) -> bytes:
        """Let 20 ms go by: what sounds in the ear, for what is said into the mouthpiece."""
        self.elapsed_ms += FRAME_MS
        self._step_ms += FRAME_MS
        self._ears.hear(heard)
        while not self.is_gone and (heard_of_it := self._is_done()) is not None:
            self._go_on(heard_of_it)
        self._silence_ms = 0.0 if self._mouth or not self._ears.quiet_ms else self._silence_ms + FRAME_MS
        self.longest_silence_ms = max(self.longest_silence_ms, self._silence_ms)
        frame = self._mouth.popleft() if self._mouth else SILENCE
        return self._transmit(frame, heard)

    # --- the script ---------------------------------------------------------------------------------------------------

    def _is_done(self) -> Heard | None:
        """Give what came of the current step; None while it goes on."""
        match self._step:
            case Say() | Beep() | Ring():
                return None if self._mouth else Heard()
            case Wait(ms):
                return Heard() if self._step_ms >= ms else None
            case Listen() as listening:
                return self._listened(listening)
            case _:
                return Heard()

    def _listened(self, step: Listen) -> Heard | None:
        ears = self._ears
        if ears.is_on_hold:
            return None
        if step.stops_at_key and ears.key:
            return Heard(has_spoken=bool(ears.spoken_ms), key=ears.key)
        if 0 < ears.spoken_ms < _WORD_MS and ears.quiet_ms >= _WORD_MS:
            ears.forget()  # a click, or the last of what was interrupted
        if ears.spoken_ms:
            quiet_ms = max(step.quiet_ms, _PUT_THROUGH_MS) if ears.was_held else step.quiet_ms
            is_over = ears.quiet_ms >= quiet_ms or ears.spoken_ms >= step.most_speech_ms
            return Heard(has_spoken=True) if is_over else None
        return Heard() if self._step_ms >= step.at_most_ms else None

    def _go_on(self, result: Heard | None) -> None:
        try:
            step = next(self._script) if result is None else self._script.send(result)
        except StopIteration:
            step = HangUp()
        self._step, self._step_ms = step, 0.0
        match step:
            case Say(text, share):
                self.said.append(text)
                audio = self._speech[text]
                self._speak(audio[: int(len(audio) * share)])
            case Beep(ms, hz):
                self._speak(tone(ms, hz))
            case Ring(ms):
                self._speak(tone(ms, *_RING_HZ))
            case Listen():
                self._ears.forget()
            case Verdict(answered_by):
                self.answered_by = self.answered_by or answered_by
            case Press(digit):
                self.pressed.append(digit)
            case HangUp():
                self.is_gone = True

    def _speak(self, audio: bytes) -> None:
        for at in range(0, len(audio), FRAME_BYTES):
            self._mouth.append(audio[at : at + FRAME_BYTES].ljust(FRAME_BYTES, SILENCE[:1]))

    # --- the telephone ------------------------------------------------------------------------------------------------

    def _transmit(self, frame: bytes, heard: bytes) -> bytes:
        """Add what the microphone hears besides."""
        if self._line.echo_db is None and self._noise is None:
            return frame
        sound = _samples(frame)
        if self._line.echo_db is not None:
            self._echo.append(heard)
            sound = sound + _samples(self._echo.popleft()) * 10 ** (self._line.echo_db / 20)
        if self._noise is not None:
            sound = sound + self._noise()
        return encode(np.rint(np.clip(sound, -32_768, 32_767)).astype("<i2").tobytes(), AudioEncoding.MULAW)


def _samples(frame: bytes) -> NDArray[np.float64]:
    return np.frombuffer(decode(frame, AudioEncoding.MULAW), "<i2").astype(np.float64)


def tone(ms: float, *hz: float) -> bytes:
    """Give mu-law of one or more frequencies at once."""
    at = np.arange(round(ms * 8)) / 8000
    sound = sum((np.sin(2 * pi * each * at) for each in hz), np.zeros(len(at))) * _LEVEL / len(hz)
    return encode(np.rint(sound * 32_767).astype("<i2").tobytes(), AudioEncoding.MULAW)


def _noise(level_dbfs: float) -> Callable[[], NDArray[np.float64]]:
    """Give a street: noise with more of the low than of the high, swelling and falling, the same in every run."""
    seconds = 7
    random = np.random.default_rng(7)
    count = 8000 * seconds
    spectrum = np.fft.rfft(random.standard_normal(count))
    hz = np.fft.rfftfreq(count, 1 / 8000)
    shape = np.where((hz > 80) & (hz < 3400), 1 / np.sqrt(np.maximum(hz, 80)), 0.0)  # noqa: PLR2004 (telephone band)
    sound = np.fft.irfft(spectrum * shape, count)
    sound *= 1 + 0.4 * np.sin(2 * pi * np.arange(count) * 2 / count)
    sound *= 32_768 * 10 ** (level_dbfs / 20) / np.sqrt(np.mean(sound**2))
    frames = sound.reshape(-1, _SAMPLES)
    at = 0

    def following() -> NDArray[np.float64]:
        nonlocal at
        at = (at + 1) % len(frames)
        frame: NDArray[np.float64] = frames[at]
        return frame

    return following
