import asyncio
import time
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from calls.errors import ProviderError, ProviderRejectedError, ProviderTimeoutError, ProviderUnavailableError
from calls.providers import cartesia as cartesia_module
from calls.providers.base import SentenceAudio, SentenceEnded
from calls.providers.cartesia import context as context_module
from calls.providers.cartesia.ledger import Ledger
from calls.providers.pronunciation import Reading
from tests.calls.providers.speaking import (
    PHONE,
    gather,
    options,
    outline,
    speak,
    voice,
)
from tests.simulators.cartesia import CartesiaSimulator
from tests.simulators.faults import Fault
from vantum.logs import call_log, current_call


@pytest.mark.parametrize(
    ("status", "error", "attempts"),
    [
        (401, ProviderRejectedError, 1),
        (402, ProviderRejectedError, 1),
        (429, ProviderUnavailableError, 2),
        (500, ProviderUnavailableError, 2),
    ],
)
async def test_a_refused_connection_is_sorted_and_only_what_may_pass_is_tried_once_more(
    settings: Settings, status: int, error: type[ProviderError], attempts: int
) -> None:
    async with CartesiaSimulator() as simulator, voice(settings, simulator) as provider:
        simulator.faults.extend([Fault(status=status)] * 3)
        with pytest.raises(error, match=str(status)):
            await provider.open(options()).connect()
        assert len(simulator.faults) == 3 - attempts


async def test_nobody_listening_is_unavailable(settings: Settings) -> None:
    async with CartesiaSimulator() as simulator:
        pass
    async with voice(settings, simulator) as provider:
        with pytest.raises(ProviderUnavailableError):
            await speak(provider, "Hello.")


async def test_a_handshake_that_hangs_costs_only_the_budget(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cartesia_module, "_OPEN_SECONDS", 0.5)
    async with CartesiaSimulator() as simulator, voice(settings, simulator) as provider:
        simulator.faults.extend([Fault(hang=True)] * 2)
        started = time.monotonic()
        with pytest.raises(ProviderTimeoutError):
            await provider.open(options()).connect()
        assert time.monotonic() - started < 0.8


@pytest.mark.parametrize("fault", [Fault(drop_after=2), Fault(drop_after=2, close_code=1011)])
async def test_a_connection_lost_in_the_middle_ends_every_reply_on_it(settings: Settings, fault: Fault) -> None:
    async with CartesiaSimulator(pace=0.2) as simulator, voice(settings, simulator) as provider:
        simulator.faults.append(fault)
        replies = [speak(provider, "A sentence of some length.") for _ in range(2)]
        results = await asyncio.gather(*replies, return_exceptions=True)
        assert [type(result) for result in results] == [ProviderUnavailableError] * 2
        assert outline(await speak(provider, "Hello."))[-1] == "e0"


async def test_a_connection_lost_before_the_first_audio_is_replaced_and_nothing_is_heard_of_it(
    settings: Settings,
) -> None:
    async with CartesiaSimulator() as simulator, voice(settings, simulator) as provider:
        simulator.faults.append(Fault(drop_after=0))
        pieces = await speak(provider, "Hello there.", "How are you?")
        assert outline(pieces) == ["a0", "w0", "a0", "e0", "a1", "w1", "a1", "e1"]
        assert simulator.connections == 2


async def test_a_half_open_connection_is_replaced_within_the_budget(settings: Settings) -> None:
    settings.TURN_BUDGET_SECONDS = 0.8
    async with CartesiaSimulator() as simulator, voice(settings, simulator) as provider:
        simulator.faults.append(Fault(ignore_close=True))
        started = time.monotonic()
        assert outline(await speak(provider, "Hello."))[-1] == "e0"
        assert time.monotonic() - started < 0.8
        assert simulator.connections == 2


async def test_speech_that_never_comes_times_out_within_the_budget(settings: Settings) -> None:
    settings.TURN_BUDGET_SECONDS = 0.5
    async with CartesiaSimulator(first_audio_ms=60_000) as simulator, voice(settings, simulator) as provider:
        started = time.monotonic()
        with pytest.raises(ProviderTimeoutError):
            await speak(provider, "Hello.")
        assert time.monotonic() - started < 0.8


async def test_speech_that_stops_in_the_middle_times_out(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context_module, "_GAP_SECONDS", 0.2)
    async with CartesiaSimulator() as simulator, voice(settings, simulator) as provider:
        simulator.faults.append(Fault(mute_after=2))
        with pytest.raises(ProviderTimeoutError, match="no audio"):
            await speak(provider, "A sentence of some length.")


async def test_waiting_for_the_next_sentence_is_not_a_failure(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context_module, "_GAP_SECONDS", 0.1)
    async with CartesiaSimulator() as simulator, voice(settings, simulator) as provider:
        context = provider.open(options()).begin(1)
        await context.say(0, "One.")
        collecting = asyncio.create_task(gather(context))
        await asyncio.sleep(0.4)
        await context.say(1, "Two.")
        await context.finish()
        assert outline(await collecting) == ["a0", "w0", "a0", "e0", "a1", "w1", "a1", "e1"]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(error="voice_not_found", code=404), ProviderRejectedError),
        (Fault(error="concurrency_limited", code=429), ProviderUnavailableError),
        (Fault(error="internal", code=500), ProviderUnavailableError),
        (Fault(error="quota_exceeded", code=402, anonymous=True), ProviderRejectedError),
    ],
)
async def test_an_error_message_ends_the_reply_even_when_it_names_no_context(
    settings: Settings, fault: Fault, error: type[ProviderError]
) -> None:
    async with CartesiaSimulator() as simulator, voice(settings, simulator) as provider:
        simulator.faults.append(fault)
        with pytest.raises(error, match=fault.error):
            await speak(provider, "Hello.")


async def test_messages_that_nobody_knows_are_passed_over(settings: Settings) -> None:
    async with CartesiaSimulator() as simulator, voice(settings, simulator) as provider:
        simulator.faults.append(Fault(unknown=True))
        assert outline(await speak(provider, "Hello."))[-1] == "e0"


async def test_a_dropped_connection_counts_once_however_many_calls_were_on_it(settings: Settings) -> None:
    async with CartesiaSimulator(pace=1) as simulator, voice(settings, simulator) as provider:
        talking = [asyncio.create_task(speak(provider, "A sentence of some length.")) for _ in range(10)]
        await asyncio.sleep(0.3)
        await simulator.drop_all()
        results = await asyncio.gather(*talking, return_exceptions=True)
        assert all(isinstance(result, ProviderError) for result in results)
        simulator.pace = 0
        assert outline(await speak(provider, "Hello."))[-1] == "e0"


async def test_audio_beyond_all_measure_ends_the_reply(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context_module, "_MOST_BYTES", 3000)
    async with CartesiaSimulator() as simulator, voice(settings, simulator) as provider:
        context = provider.open(options()).begin(1)
        await context.say(0, "A sentence of some length.")
        await asyncio.sleep(0.1)
        with pytest.raises(ProviderRejectedError, match="more audio"):
            await gather(context)


async def test_closing_takes_less_than_a_second_whatever_the_server_does(settings: Settings) -> None:
    async with CartesiaSimulator() as simulator, voice(settings, simulator) as provider:
        socket = await provider.socket()
        for connection in simulator._server.connections:
            connection.transport.pause_reading()
        started = time.monotonic()
        await socket.close()
        assert time.monotonic() - started < 1.0


# --- the pure parts ---------------------------------------------------------------------------------------------------


def test_a_message_out_of_place_is_passed_over() -> None:
    ledger = Ledger(PHONE)
    assert ledger.hear(1, b"xx") == []
    ledger.add(0, Reading("One.", {}))
    assert ledger.flushed(7) == []
    assert ledger.hear(2, b"xx") == [SentenceAudio(0, b"xx")]
    assert ledger.flushed(1) == []
    assert ledger.finished() == [SentenceEnded(0)]
    assert ledger.finished() == []


@pytest.mark.parametrize(
    "message",
    [
        {"type": "timestamps", "word_timestamps": {"words": ["a"], "start": None, "end": None}},
        {"type": "timestamps", "word_timestamps": {"words": ["a"], "start": [], "end": [0.1]}},
        {"type": "chunk", "data": "no base64!"},
    ],
)
async def test_a_malformed_message_is_a_provider_error(settings: Settings, message: dict[str, Any]) -> None:
    async with CartesiaSimulator(first_audio_ms=60_000) as simulator, voice(settings, simulator) as provider:
        context = provider.open(options()).begin(1)
        await context.say(0, "Hello.")
        await simulator.tell_all({**message, "context_id": context._context_id})
        with pytest.raises(ProviderUnavailableError, match="not understood"):
            await gather(context)


async def test_the_connection_that_all_calls_share_logs_for_none_of_them(settings: Settings) -> None:
    seen: list[str] = []

    class Witness:
        is_unanswered = True

        def receive(self, _event: object) -> None:
            seen.append("a message")

        def lose(self, _error: ProviderError) -> None:
            seen.append(current_call())

    async with CartesiaSimulator() as simulator, voice(settings, simulator) as provider:
        with call_log("the call that opened it"):
            socket = await provider.socket()
        socket.listen("witness", Witness())
        await asyncio.sleep(0)  # the reader begins
        await socket.close()
    assert seen == [""]
