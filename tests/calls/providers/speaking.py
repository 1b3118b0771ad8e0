"""How the tests of Cartesia speak: sentences in, pieces out, over the vendor's SDK and a simulator."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pytest_django.fixtures import Settings

from calls.engine.agent import AgentSpec
from calls.enums import AudioEncoding
from calls.providers.base import SentenceAudio, SentenceEnded, SentenceWords, SpeechOptions, SpeechPiece
from calls.providers.cartesia import Cartesia
from calls.providers.cartesia.context import CartesiaContext
from calls.wire.audio import AudioFormat
from tests.simulators.cartesia import CartesiaSimulator

PHONE = AudioFormat(encoding=AudioEncoding.MULAW, rate=8000)
SPEC = AgentSpec(name="Ada", prompt="")
VOICE = "a0e99841-438c-4a64-b679-ae501e7d6091"
DEFAULT_VOICE = "694f9389-aac1-45b6-b726-9d9369183238"


@asynccontextmanager
async def voice(settings: Settings, simulator: CartesiaSimulator) -> AsyncIterator[Cartesia]:
    settings.CARTESIA_BASE_URL, settings.CARTESIA_API_KEY = simulator.url, "key"
    provider = Cartesia()
    try:
        yield provider
    finally:
        await provider.aclose()


def options(spec: AgentSpec = SPEC, form: AudioFormat = PHONE, own_voice: str = "") -> SpeechOptions:
    return SpeechOptions(format=form, spec=spec, voice=own_voice)


async def gather(context: CartesiaContext) -> list[SpeechPiece]:
    async with asyncio.timeout(6):
        return [piece async for piece in context.pieces()]


async def speak(provider: Cartesia, *texts: str, how: SpeechOptions | None = None) -> list[SpeechPiece]:
    context = provider.open(how or options()).begin(1)
    for number, text in enumerate(texts):
        await context.say(number, text)
    await context.finish()
    return await gather(context)


def seconds_of(pieces: list[SpeechPiece], sentence: int, form: AudioFormat = PHONE) -> float:
    audio = [piece.audio for piece in pieces if isinstance(piece, SentenceAudio) and piece.sentence == sentence]
    return round(form.duration_ms(sum(map(len, audio))) / 1000, 2)


def outline(pieces: list[SpeechPiece]) -> list[str]:
    """Write the order of the pieces, runs of audio as one: a0 w0 a0 e0."""
    letters = {SentenceAudio: "a", SentenceWords: "w", SentenceEnded: "e"}
    marks = [f"{letters[type(piece)]}{piece.sentence}" for piece in pieces]
    return [mark for number, mark in enumerate(marks) if number == 0 or mark != marks[number - 1]]
