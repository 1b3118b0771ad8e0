import asyncio
import os
import time
from contextlib import suppress

import pytest
from pytest_django.fixtures import Settings

from calls.engine.events import EndOfTurn, SpeechStarted
from calls.enums import AudioEncoding
from calls.errors import ProviderError, ProviderRejectedError, ProviderTimeoutError, ProviderUnavailableError
from calls.providers.deepgram import Deepgram
from calls.providers.deepgram import connection as connection_module
from calls.providers.deepgram import stream as stream_module
from calls.providers.deepgram.dialects import Nova
from calls.wire.audio import AudioFormat
from tests.calls.providers.hearing import PCM8, audio, finals, heard_until, hearing, until
from tests.simulators.deepgram import DeepgramSimulator
from tests.simulators.faults import Fault


@pytest.mark.parametrize("fault", [Fault(drop_after=0.5), Fault(drop_after=0.5, close_code=1011)])
@pytest.mark.parametrize("split", [0, 1])
async def test_nova_loses_and_doubles_no_word_when_the_connection_breaks(
    settings: Settings, fault: Fault, split: int
) -> None:
    async with DeepgramSimulator(final_every_words=split) as simulator:
        simulator.faults.extend([fault, Fault(status=503)])
        async with hearing(settings, simulator, "nova-3") as stream:
            await stream.connect()
            stream.hear(audio("one two three"))
            await heard_until(simulator, 1, 0.5)
            stream.hear(audio("four five", 400))
            events = await until(stream, "settled")
            assert stream.reconnects == 1
    assert finals(events) == "one two three four five"
    assert events.count(SpeechStarted()) == 1
    assert stream.dropped_ms == 0


async def test_flux_loses_and_doubles_no_word_when_the_connection_breaks(settings: Settings) -> None:
    async with DeepgramSimulator() as simulator:
        simulator.faults.extend([Fault(drop_after=0.5), Fault(status=500), Fault(drop_after=0.8)])
        async with hearing(settings, simulator, "flux-general-en") as stream:
            await stream.connect()
            stream.hear(audio("one two three"))
            await heard_until(simulator, 1, 0.5)
            stream.hear(audio("four five", 600))
            events = await until(stream, EndOfTurn)
            assert stream.reconnects == 2
    assert events[-1] == EndOfTurn("one two three four five", 0.5)
    assert events.count(SpeechStarted()) == 1


async def test_words_said_before_a_finished_turn_are_not_heard_again(settings: Settings) -> None:
    async with DeepgramSimulator() as simulator, hearing(settings, simulator, "flux-general-en") as stream:
        await stream.connect()
        stream.hear(audio("one two", 600))
        await until(stream, EndOfTurn)
        await simulator.drop_all()
        stream.hear(audio("three", 600))
        events = await until(stream, EndOfTurn)
    assert events[-1] == EndOfTurn("three", 0.5)


async def test_a_half_open_connection_is_noticed_and_replaced(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Nova, "stall_seconds", 0.3)
    monkeypatch.setattr(stream_module, "_TICK_SECONDS", 0.1)
    async with DeepgramSimulator() as simulator, hearing(settings, simulator, "nova-3") as stream:
        simulator.faults.append(Fault(mute_after=0.3))
        await stream.connect()
        stream.hear(audio("one two three", 400))
        assert finals(await until(stream, "settled")) == "one two three"
        assert stream.reconnects == 1


async def test_a_recogniser_that_stays_away_is_lost_for_good(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_module, "_GIVE_UP_SECONDS", 0.3)
    async with DeepgramSimulator() as simulator, hearing(settings, simulator, "nova-3") as stream:
        simulator.faults.extend([Fault(drop_after=0.1), *[Fault(status=503)] * 20])
        await stream.connect()
        stream.hear(audio("one"))
        with pytest.raises(ProviderUnavailableError, match="deepgram"):
            await until(stream, "settled")


async def test_audio_that_deepgram_cannot_decode_is_not_sent_again(settings: Settings) -> None:
    async with DeepgramSimulator() as simulator, hearing(settings, simulator, "nova-3") as stream:
        simulator.faults.append(Fault(drop_after=0.1, close_code=1008))
        await stream.connect()
        stream.hear(audio("one"))
        with pytest.raises(ProviderRejectedError, match="1008"):
            await until(stream, "settled")
        assert len(simulator.requests) == 1


async def test_an_error_message_leads_to_a_new_connection(settings: Settings) -> None:
    async with DeepgramSimulator() as simulator, hearing(settings, simulator, "flux-general-en") as stream:
        simulator.faults.append(Fault(error="INTERNAL_SERVER_ERROR"))
        await stream.connect()
        stream.hear(audio("two", 600))
        assert (await until(stream, EndOfTurn))[-1] == EndOfTurn("two", 0.5)
        assert stream.reconnects == 1


@pytest.mark.parametrize(
    ("status", "error", "attempts"),
    [
        (400, ProviderRejectedError, 1),
        (401, ProviderRejectedError, 1),
        (402, ProviderRejectedError, 1),
        (429, ProviderUnavailableError, 2),
        (500, ProviderUnavailableError, 2),
    ],
)
async def test_a_refusal_is_sorted_and_only_what_may_pass_is_tried_once_more(
    settings: Settings, status: int, error: type[ProviderError], attempts: int
) -> None:
    async with DeepgramSimulator() as simulator, hearing(settings, simulator, "nova-3") as stream:
        simulator.faults.extend([Fault(status=status)] * 3)
        with pytest.raises(error, match=str(status)):
            await stream.connect()
        assert len(simulator.faults) == 3 - attempts


async def test_nobody_listening_is_unavailable(settings: Settings) -> None:
    async with DeepgramSimulator() as simulator:
        pass
    async with hearing(settings, simulator, "nova-3") as stream:
        with pytest.raises(ProviderUnavailableError):
            await stream.connect()


async def test_a_handshake_that_hangs_costs_only_the_budget(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "_OPEN_SECONDS", 0.5)
    async with DeepgramSimulator() as simulator, hearing(settings, simulator, "nova-3") as stream:
        simulator.faults.extend([Fault(hang=True)] * 2)
        started = time.monotonic()
        with pytest.raises(ProviderTimeoutError):
            await stream.connect()
        assert time.monotonic() - started < 0.8


async def test_closing_takes_less_than_a_second_whatever_the_server_does(settings: Settings) -> None:
    async with DeepgramSimulator() as simulator, hearing(settings, simulator, "nova-3") as stream:
        simulator.faults.append(Fault(ignore_close=True))
        await stream.connect()
        stream.hear(audio("one"))
        started = time.monotonic()
        await stream.aclose()
        assert time.monotonic() - started < 1.0
        assert [event async for event in stream.events()] == []


async def test_a_bug_in_the_stream_is_told_to_the_call(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(_self: Nova, _message: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Nova, "read", break_down)
    async with DeepgramSimulator() as simulator, hearing(settings, simulator, "nova-3") as stream:
        await stream.connect()
        stream.hear(audio("one", 400))
        with pytest.raises(ProviderError, match="internal error"):
            await until(stream, "settled")
    assert "ended by a bug" in caplog.text


def test_the_rates_are_the_models(settings: Settings) -> None:
    settings.DEEPGRAM_MODEL = "flux-general-en"
    flux = Deepgram()
    settings.DEEPGRAM_MODEL = "nova-3"
    nova = Deepgram()
    odd = AudioFormat(encoding=AudioEncoding.PCM16, rate=12_000)
    assert (flux.accepts(PCM8), flux.accepts(odd)) == (True, False)
    assert (nova.accepts(PCM8), nova.accepts(odd)) == (True, True)
    assert flux.accepts(flux.preferred)
    assert nova.accepts(nova.preferred)


async def test_a_connection_that_takes_no_more_is_replaced(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "_SEND_SECONDS", 0.2)
    monkeypatch.setattr(stream_module, "_TICK_SECONDS", 0.1)
    async with DeepgramSimulator() as simulator, hearing(settings, simulator, "nova-3") as stream:
        await stream.connect()
        assert stream._connection is not None
        # The kernel takes megabytes before a real socket blocks.
        stream._connection._socket.pause_writing()
        stream.hear(audio("one two", 400))
        assert finals(await until(stream, "settled")) == "one two"
        assert stream.reconnects == 1
        assert stream.dropped_ms == 0


async def test_silence_without_an_answer_is_no_sign_of_death(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Nova, "stall_seconds", 0.1)
    monkeypatch.setattr(stream_module, "_TICK_SECONDS", 0.05)
    async with DeepgramSimulator() as simulator, hearing(settings, simulator, "nova-3") as stream:
        simulator.faults.append(Fault(mute_after=0.0))
        await stream.connect()
        stream.voice_changed(is_speech=False)
        stream.hear(audio("", 500))
        await asyncio.sleep(0.3)
        assert stream.reconnects == 0
        stream.voice_changed(is_speech=True)
        stream.hear(audio("one", 400))
        assert finals(await until(stream, "settled")) == "one"
        assert stream.reconnects == 1


async def held(simulator: DeepgramSimulator) -> tuple[int, int]:
    """Give the tasks and file descriptors of this process once the server has nobody left."""
    async with asyncio.timeout(2):
        while simulator.live:  # noqa: ASYNC110 (polls)
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    return len(asyncio.all_tasks()), len(os.listdir("/proc/self/fd"))  # noqa: PTH208 (names are enough)


@pytest.mark.parametrize("fault", [Fault(), Fault(ignore_close=True), Fault(drop_after=0.1), Fault(status=401)])
async def test_calls_leave_nothing_behind(settings: Settings, fault: Fault) -> None:
    async with DeepgramSimulator() as simulator:
        async with hearing(settings, simulator, "nova-3") as stream:
            await stream.connect()
        before = await held(simulator)
        simulator.faults.extend([fault] * 10)
        for _ in range(10):
            async with hearing(settings, simulator, "nova-3") as stream:
                with suppress(ProviderError):
                    await stream.connect()
                stream.hear(audio("one"))
                await asyncio.sleep(0.01)
        await simulator.drop_all()
        assert await held(simulator) == before
