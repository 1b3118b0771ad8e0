"""Measure the local recogniser: the demo agent's sentences, and the machines and people that take a call.

``python -m tests.bench.bench_recogniser``: words wrong in a hundred, and intents that were right, for the examples of
the demo agent in synthetic voices over a microphone's 16 kHz and over the telephone; then the English calls of the
training half of the corpus of call answers, spoken aloud over the telephone: who was each of them taken for? It takes
about ten minutes on two cores; ``--every 3`` takes every third sentence and call.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterable
from pathlib import Path
from typing import Any

import django
from msgspec import Struct

from calls.demo import DEMO_AGENT
from calls.engine.agent import AgentSpec, VoiceActivity
from calls.engine.answered import AnswerWatch
from calls.engine.events import TranscriptReceived
from calls.enums import AnsweredBy, AudioEncoding
from calls.providers.base import RecognitionEvent, RecognitionOptions, SpeechOptions
from calls.providers.cache import SpeechCache
from calls.providers.scripted.intents import IntentMatcher, words_of
from calls.providers.vad import SileroDetector
from calls.wire.audio import AudioFormat, Converter, silence
from calls.wire.vad import VoiceReport
from tests.corpus.greetings import Answer, load

WIDE = AudioFormat()
PHONE = AudioFormat(encoding=AudioEncoding.MULAW, rate=8000)
MICROPHONE_VOICES = ("en-us", "en-us+f1", "en-us+m6")
PHONE_VOICES = ("en-us+f5", "en-us+f2", "en-us+m6")
FRAME_MS = 20
PAUSE_MS = 300
"""Quiet audio after which the recogniser closes a piece."""
QUIET_MS = 4000
"""Silence behind a speech, within which it has to be known for what it is."""
AT_ONCE = 2


class Result(Struct):
    """What became of one speech: the recogniser's words, and who it was taken for while our side said nothing."""

    said: str
    heard: str
    kind: AnsweredBy

    @property
    def errors(self) -> int:
        """Words that are missing, too many or wrong."""
        row = list(range(len(words_of(self.heard)) + 1))
        for at, word in enumerate(words_of(self.said), 1):
            last, row[0] = row[0], at
            for place, other in enumerate(words_of(self.heard), 1):
                last, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, last + (word != other))
        return row[-1]


class Listening:
    """One speech on its way through voice activity detection, the recogniser and the watch over who answered.

    It goes as fast as the recogniser: at each pause its words are waited for, so that the watch has them in time.
    """

    def __init__(self, detector: SileroDetector, stream: Any, audio: AudioFormat) -> None:
        self._audio = audio
        self._to_pcm, self._to_ear = Converter(audio, AudioFormat(rate=audio.rate)), Converter(audio, WIDE)
        self._stream = stream
        self._events: AsyncIterator[RecognitionEvent] = stream.events()
        self._voice = detector.open(audio.rate, VoiceActivity(), self._note_voice)
        self._report = VoiceReport(0, 0, 0, is_speech=False)
        self._quiet_ms = 0.0
        self._is_open = False
        self._finals: list[str] = []
        self._watch = AnswerWatch()

    def _note_voice(self, report: VoiceReport) -> None:
        if report.is_speech != self._report.is_speech:
            self._stream.voice_changed(is_speech=report.is_speech)
            self._is_open, self._quiet_ms = True, 0.0
        self._report = report

    async def hear(self, said: str, speech: bytes) -> Result:
        """Play it between silences."""
        audio = silence(self._audio, PAUSE_MS) + speech + silence(self._audio, QUIET_MS)
        size, kind = len(silence(self._audio, FRAME_MS)), AnsweredBy.HUMAN
        for at in range(0, len(audio), size):
            frame = audio[at : at + size]
            self._voice.hear(self._to_pcm.feed(frame))
            self._stream.hear(self._to_ear.feed(frame))
            self._quiet_ms += FRAME_MS
            if self._is_open and not self._report.is_speech and self._quiet_ms >= PAUSE_MS + FRAME_MS:
                await self._read()
            self._watch.hear((at // size + 1) * FRAME_MS, self._report.voiced_until_ms, self._report.voiced_ms)
            if kind is AnsweredBy.HUMAN and (judgement := self._watch.judge()).is_firm:
                kind = judgement.kind
        self._voice.close()
        return Result(said, " / ".join(self._finals), kind)

    async def _read(self) -> None:
        self._is_open = False
        self._stream.finalize()
        async for event in self._events:
            if isinstance(event, TranscriptReceived) and event.is_final:
                self._finals += [event.text] if event.text else []
                self._watch.read(self._finals)
            if isinstance(event, TranscriptReceived) and event.is_settled:
                return


class Bench:
    """A voice, a detector, an ear."""

    def __init__(self, folder: Path) -> None:
        from calls.providers.local import LocalSpeechToText, LocalTextToSpeech  # noqa: PLC0415 (an optional part)

        self.tts, self.stt, self.detector = LocalTextToSpeech(), LocalSpeechToText(), SileroDetector()
        self._cache = SpeechCache(folder)
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def hear(self, said: str, voice: str, audio: AudioFormat) -> Result:
        """Speak the words and hear them as a call would."""
        spec = AgentSpec(name="speaker", prompt="")
        async with self._turns:
            speech = await self._cache.make(self.tts, SpeechOptions(format=audio, spec=spec, voice=voice), said)
            options = RecognitionOptions(format=WIDE, spec=DEMO_AGENT, is_telephone=audio == PHONE)
            stream = self.stt.open(options)
            await stream.connect()
            try:
                return await Listening(self.detector, stream, audio).hear(said, speech)
            finally:
                await stream.aclose()

    async def aclose(self) -> None:
        """End the speech processes."""
        await self.tts.aclose()
        await self.stt.aclose()


def say(*cells: object) -> None:
    """Write one line."""
    sys.stdout.write("  ".join(str(cell) for cell in cells) + "\n")
    sys.stdout.flush()


def error_rate(results: Iterable[Result]) -> str:
    """Words wrong in a hundred that were said."""
    found = list(results)
    return f"{100 * sum(each.errors for each in found) / sum(len(words_of(each.said)) for each in found):.1f} %"


async def measure_script(bench: Bench, audio: AudioFormat, voices: tuple[str, ...], every: int) -> None:
    """Print word error rate and right intents of the demo agent's examples."""
    matcher = IntentMatcher(DEMO_AGENT.intents)
    examples = list(dict.fromkeys(text for intent in DEMO_AGENT.intents for text in intent.examples))[::every]
    for voice in voices:
        results = await asyncio.gather(*(bench.hear(text, voice, audio) for text in examples))
        right = sum(
            bool(best := matcher.rank(each.heard)) and best[0].intent == matcher.rank(each.said)[0].intent
            for each in results
        )
        say(f"{audio.rate} Hz", f"{voice:<10}", error_rate(results), f"intents {right} of {len(results)}")


async def measure_answers(bench: Bench, every: int, *, words: bool) -> None:
    """Print what the training half's calls were taken for when they are spoken aloud."""
    answers = [a for a in load("dev") if a.language.startswith("en") and a.said and not a.beeps][::every]
    spoken: list[Awaitable[Result]] = [
        bench.hear(answer.said, PHONE_VOICES[at % len(PHONE_VOICES)], PHONE) for at, answer in enumerate(answers)
    ]
    results = await asyncio.gather(*spoken)
    pairs: list[tuple[Answer, Result]] = list(zip(answers, results, strict=True))
    counts = Counter((AnsweredBy(answer.label), result.kind) for answer, result in pairs)
    if words:
        for answer, result in pairs:
            say(answer.id, result.kind.value, "|", answer.said, "|", result.heard)
    for label in AnsweredBy:
        of_label = [result for answer, result in pairs if answer.label == label.value]
        verdicts = ", ".join(f"{kind.value} {counts[label, kind]}" for kind in AnsweredBy if counts[label, kind])
        if of_label:
            say(f"{label.value:<10}", error_rate(of_label), verdicts)


async def main() -> None:
    """Measure all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="take every so manieth sentence and call")
    parser.add_argument("--only", choices=("script", "answers"), help="measure one of the two")
    parser.add_argument("--words", action="store_true", help="show what was heard of the calls")
    options = parser.parse_args()
    folder = Path(os.environ["DATA_DIR"])
    bench = Bench(folder)
    try:
        if options.only != "answers":
            await measure_script(bench, WIDE, MICROPHONE_VOICES, options.every)
            await measure_script(bench, PHONE, PHONE_VOICES, options.every)
        if options.only != "script":
            await measure_answers(bench, options.every, words=options.words)
    finally:
        await bench.aclose()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as kept:
        os.environ.setdefault("DATA_DIR", kept)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vantum.settings")
        django.setup()
        asyncio.run(main())
