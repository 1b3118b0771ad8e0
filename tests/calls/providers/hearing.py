"""How the tests of recognisers listen: tone words in, events out, over the vendor's SDK and a simulator."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pytest_django.fixtures import Settings

from calls.engine.agent import AgentSpec
from calls.engine.events import TranscriptReceived
from calls.enums import AudioEncoding
from calls.providers.base import RecognitionEvent, RecognitionOptions
from calls.providers.deepgram import Deepgram
from calls.providers.deepgram.stream import DeepgramStream
from calls.wire.audio import AudioFormat
from tests.simulators import sound
from tests.simulators.deepgram import DeepgramSimulator

SPEC = AgentSpec(name="Ada", prompt="Be kind.", key_terms=("Vantum",))
PCM8 = AudioFormat(encoding=AudioEncoding.PCM16, rate=8000)
SPELLING = {AudioEncoding.PCM16: "linear16", AudioEncoding.MULAW: "mulaw", AudioEncoding.ALAW: "alaw"}


def audio(words: str, silence_ms: float = 0, form: AudioFormat = PCM8) -> bytes:
    spelling = SPELLING[form.encoding]
    return sound.encode(spelling, sound.spoken(words, form.rate)) + sound.encode(
        spelling, sound.silence(silence_ms, form.rate)
    )


@asynccontextmanager
async def hearing(
    settings: Settings, simulator: DeepgramSimulator, model: str, form: AudioFormat = PCM8, spec: AgentSpec = SPEC
) -> AsyncIterator[DeepgramStream]:
    settings.DEEPGRAM_BASE_URL, settings.DEEPGRAM_API_KEY, settings.DEEPGRAM_MODEL = simulator.url, "key", model
    stream = Deepgram().open(RecognitionOptions(format=form, spec=spec))
    try:
        yield stream
    finally:
        await stream.aclose()


async def until(stream: DeepgramStream, last: type | str) -> list[RecognitionEvent]:
    """Collect events up to an event of a class, or up to the settled transcript."""
    events: list[RecognitionEvent] = []
    async with asyncio.timeout(8):
        async for event in stream.events():
            events.append(event)
            is_settled = isinstance(event, TranscriptReceived) and event.is_settled
            if (last == "settled" and is_settled) or (isinstance(last, type) and isinstance(event, last)):
                return events
    return events


def finals(events: list[RecognitionEvent]) -> str:
    pieces = [event.text for event in events if isinstance(event, TranscriptReceived) and event.is_final]
    return " ".join(piece for piece in pieces if piece)


def interim(text: str) -> TranscriptReceived:
    return TranscriptReceived(text, is_final=False, confidence=0.5)


async def heard_until(simulator: DeepgramSimulator, connection: int, seconds: float) -> None:
    async with asyncio.timeout(5):
        while len(simulator.audio_seconds) < connection or simulator.audio_seconds[connection - 1] < seconds:  # noqa: ASYNC110 (polls)
            await asyncio.sleep(0.01)
