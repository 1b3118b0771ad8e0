import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pytest_django.fixtures import Settings

from calls.providers.deepgram import stream as stream_module
from calls.providers.deepgram.stream import DeepgramStream
from tests.calls.providers.hearing import audio, hearing
from tests.simulators.deepgram import DeepgramSimulator

FRAME = bytes(320)
"""20 ms."""


@pytest.fixture(autouse=True)
def _soon_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "_QUIET_SECONDS", 0.0)


@asynccontextmanager
async def listening(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, model: str = "flux-general-en"
) -> AsyncIterator[tuple[DeepgramStream, list[int]]]:
    """A connected stream, and the sizes of the pieces that it sends."""
    async with DeepgramSimulator() as simulator, hearing(settings, simulator, model) as stream:
        await stream.connect()
        await settle()
        assert stream._connection is not None
        write = stream._connection.write
        sizes: list[int] = []

        def count(piece: bytes) -> None:
            sizes.append(len(piece))
            write(piece)

        monkeypatch.setattr(stream._connection, "write", count)
        yield stream, sizes


async def hear(stream: DeepgramStream, frames: int) -> None:
    for _ in range(frames):
        stream.hear(FRAME)
        await settle()


async def settle() -> None:
    """Let the sender do what it wants to do now."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_while_nobody_speaks_audio_goes_in_pieces_of_80_ms(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listening(settings, monkeypatch) as (stream, sizes):
        stream.voice_changed(is_speech=False)
        await hear(stream, 8)
        assert sizes == [1280, 1280]


async def test_a_voice_sends_what_waits_and_then_each_frame(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listening(settings, monkeypatch) as (stream, sizes):
        stream.voice_changed(is_speech=False)
        await hear(stream, 2)
        assert sizes == []
        stream.voice_changed(is_speech=True)
        await settle()
        await hear(stream, 2)
        assert sizes == [640, 320, 320]


async def test_who_has_not_been_judged_yet_is_not_quiet(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(settings, monkeypatch) as (stream, sizes):
        await hear(stream, 2)
        assert sizes == [320, 320]


async def test_just_after_a_voice_it_is_not_quiet_yet(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "_QUIET_SECONDS", 1.5)
    async with listening(settings, monkeypatch) as (stream, sizes):
        stream.voice_changed(is_speech=False)
        await hear(stream, 2)
        assert sizes == [320, 320]


@pytest.mark.parametrize("model", ["nova-3", "flux-general-en"])
async def test_while_words_are_open_each_frame_may_decide_them(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    async with listening(settings, monkeypatch, model) as (stream, sizes):
        stream.voice_changed(is_speech=False)
        stream.hear(audio("one", 100))  # more than a piece: it goes, and the words come back
        async for _ in stream.events():
            if stream._dialect.has_open_words:
                break
        sizes.clear()
        await hear(stream, 2)
        assert sizes == [320, 320]


async def test_asking_for_the_final_words_sends_what_waits(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(settings, monkeypatch) as (stream, sizes):
        stream.voice_changed(is_speech=False)
        await hear(stream, 3)
        stream.finalize()
        await settle()
        assert sizes == [960]


async def test_what_waits_when_the_client_stops_is_sent_before_the_silence_that_fills_the_gap(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_module, "_GAP_SECONDS", 0.02)
    monkeypatch.setattr(stream_module, "_PAD_STEP_MS", 20.0)
    async with listening(settings, monkeypatch) as (stream, sizes):
        stream.voice_changed(is_speech=False)
        await hear(stream, 1)
        async with asyncio.timeout(2):
            while not sizes:  # noqa: ASYNC110 (polls)
                await asyncio.sleep(0.005)
        assert sizes[0] == 320
