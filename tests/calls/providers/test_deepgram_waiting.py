"""Connections that are opened while the telephone rings, and taken by the call."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from msgspec.structs import replace
from pytest_django.fixtures import Settings

from calls.engine.agent import AgentSpec
from calls.engine.events import EndOfTurn
from calls.errors import ProviderRejectedError, ProviderUnavailableError
from calls.providers.base import AwaitsCalls, RecognitionOptions
from calls.providers.deepgram import Deepgram, waiting
from calls.providers.deepgram import stream as stream_module
from calls.providers.deepgram.dialects import Nova
from calls.providers.scripted import ScriptedSpeechToText
from tests.calls.providers.hearing import PCM8, SPEC, audio, finals, heard_until, until
from tests.simulators.deepgram import DeepgramSimulator
from tests.simulators.faults import Fault

OTHER = replace(SPEC, key_terms=("Quantum",))


class Process:
    """A web process: its recogniser, and the telephones that ring."""

    def __init__(self, simulator: DeepgramSimulator) -> None:
        self.simulator = simulator
        self.deepgram = Deepgram()

    def options(self, spec: AgentSpec = SPEC) -> RecognitionOptions:
        return RecognitionOptions(format=PCM8, spec=spec)

    def ring(self, spec: AgentSpec = SPEC) -> asyncio.Task[None]:
        return asyncio.create_task(self.deepgram.await_call(self.options(spec)))

    async def until_live(self, count: int) -> None:
        async with asyncio.timeout(5):
            while self.simulator.live != count:  # noqa: ASYNC110 (polls)
                await asyncio.sleep(0.01)

    @asynccontextmanager
    async def answered(self, spec: AgentSpec = SPEC) -> AsyncIterator[stream_module.DeepgramStream]:
        stream = self.deepgram.open(self.options(spec))
        try:
            yield stream
        finally:
            await stream.aclose()


Play = Callable[[Callable[[Process], Awaitable[None]]], Awaitable[None]]


@pytest.fixture(params=["nova-3"])
def play(request: pytest.FixtureRequest, settings: Settings) -> Play:
    """Play a scene with a recogniser of this model, and see that nothing is left of it."""

    async def run(scene: Callable[[Process], Awaitable[None]]) -> None:
        async with DeepgramSimulator() as simulator:
            settings.DEEPGRAM_BASE_URL, settings.DEEPGRAM_API_KEY = simulator.url, "key"
            settings.DEEPGRAM_MODEL = request.param
            process = Process(simulator)
            own = asyncio.all_tasks()
            await scene(process)
            await process.until_live(0)
            async with asyncio.timeout(2):
                while [task for task in asyncio.all_tasks() - own if "conn_handler" not in repr(task)]:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            assert process.deepgram._waiting._places == {}

    return run


both = pytest.mark.parametrize("play", ["nova-3", "flux-general-en"], indirect=True)


@both
async def test_what_was_connected_while_it_rang_is_the_calls(play: Play) -> None:
    async def scene(process: Process) -> None:
        ringing = process.ring()
        await process.until_live(1)
        async with process.answered() as stream:
            await stream.connect()
            await asyncio.wait_for(ringing, 1)
            stream.hear(audio("one two", 600))
            last = EndOfTurn if stream.detects_turns else "settled"
            events = await until(stream, last)
            assert "one two" in {finals(events), getattr(events[-1], "text", "")}
            assert (len(process.simulator.requests), stream.reconnects) == (1, 0)

    await play(scene)


@both
async def test_what_waits_is_kept_alive_and_closed_when_nobody_answers(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "_KEEP_ALIVE_SECONDS", 0.1)

    async def scene(process: Process) -> None:
        process.simulator.idle_seconds = 1.0
        ringing = process.ring()
        await process.until_live(1)
        await asyncio.sleep(1.6)
        assert (process.simulator.live, len(process.simulator.requests)) == (1, 1)
        is_flux = process.deepgram.model.startswith("flux")
        signs = process.simulator.audio_seconds[0] / 0.1 if is_flux else process.simulator.control.count("KeepAlive")
        assert signs >= 8
        assert process.simulator.audio_seconds[0] == 0 or is_flux
        ringing.cancel()
        with suppress(asyncio.CancelledError):
            await ringing
        await process.until_live(0)
        assert process.simulator.control[-1] == "CloseStream"

    await play(scene)


@pytest.mark.parametrize("play", ["flux-general-en"], indirect=True)
async def test_silence_that_was_sent_while_it_rang_costs_no_word_later(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "_KEEP_ALIVE_SECONDS", 0.02)

    async def scene(process: Process) -> None:
        process.ring()
        await heard_until(process.simulator, 1, 2.0)
        async with process.answered() as stream:
            await stream.connect()
            stream.hear(audio("one two", 600) + audio("three four"))
            assert (await until(stream, EndOfTurn))[-1] == EndOfTurn("one two", 0.5)
            await process.simulator.drop_all()
            stream.hear(audio("five", 600))
            assert (await until(stream, EndOfTurn))[-1] == EndOfTurn("three four five", 0.5)

    await play(scene)


async def test_a_call_that_is_answered_at_once_takes_what_is_being_opened(play: Play) -> None:
    async def scene(process: Process) -> None:
        process.ring()
        await asyncio.sleep(0)
        async with process.answered() as stream:
            await stream.connect()
            assert len(process.simulator.requests) == 1

    await play(scene)


async def test_an_opening_that_fails_is_the_calls_failure_and_the_next_one_connects_itself(play: Play) -> None:
    async def scene(process: Process) -> None:
        process.simulator.faults.append(Fault(status=401))
        process.ring()
        await asyncio.sleep(0)
        async with process.answered() as stream:
            with pytest.raises(ProviderRejectedError, match="401"):
                await stream.connect()
        process.simulator.faults.append(Fault(status=401))
        with pytest.raises(ProviderRejectedError):
            await process.ring()
        async with process.answered() as stream:
            await stream.connect()
            assert len(process.simulator.requests) == 1

    await play(scene)


@pytest.mark.parametrize("fault", [Fault(), Fault(hang=True)])
async def test_who_hangs_up_while_it_is_being_opened_leaves_nothing_open(play: Play, fault: Fault) -> None:
    async def scene(process: Process) -> None:
        process.simulator.faults.extend([fault] * 20)
        for _ in range(20):
            process.ring()
            await asyncio.sleep(0)
            async with process.answered() as stream:
                connecting = asyncio.create_task(stream.connect())
                await asyncio.sleep(0.001)
                connecting.cancel()
                await asyncio.wait({connecting})

    await play(scene)


async def test_each_call_takes_one_and_another_agents_takes_none(play: Play) -> None:
    async def scene(process: Process) -> None:
        rings = [process.ring(), process.ring(OTHER)]
        await process.until_live(2)
        async with process.answered(OTHER) as second, process.answered(OTHER) as third:
            await second.connect()
            assert process.simulator.live == 2
            await third.connect()
            assert process.simulator.live == 3
            await asyncio.wait_for(rings[1], 1)
            assert not rings[0].done()
        assert sorted(query["keyterm"][0] for query in process.simulator.requests) == ["Quantum", "Quantum", "Vantum"]
        rings[0].cancel()

    await play(scene)


async def test_one_that_died_while_it_waited_is_not_taken(play: Play) -> None:
    async def scene(process: Process) -> None:
        ringing = process.ring()
        await process.until_live(1)
        await process.simulator.drop_all()
        await process.until_live(0)
        await asyncio.sleep(0.05)
        async with process.answered() as stream:
            await stream.connect()
            stream.hear(audio("one", 400))
            assert finals(await until(stream, "settled")) == "one"
            assert (len(process.simulator.requests), stream.reconnects) == (2, 0)
        ringing.cancel()

    await play(scene)


async def test_a_lost_one_ends_its_waiting(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_KEEP_ALIVE_SECONDS", 0.1)

    async def scene(process: Process) -> None:
        ringing = process.ring()
        await process.until_live(1)
        await process.simulator.drop_all()
        with pytest.raises(ProviderUnavailableError):
            await asyncio.wait_for(ringing, 1)

    await play(scene)


async def test_one_that_is_dead_without_knowing_costs_no_word(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Nova, "stall_seconds", 0.3)
    monkeypatch.setattr(stream_module, "_TICK_SECONDS", 0.1)

    async def scene(process: Process) -> None:
        process.simulator.faults.append(Fault(mute_after=0.0))
        process.ring()
        await process.until_live(1)
        async with process.answered() as stream:
            await stream.connect()
            stream.hear(audio("one two three", 400))
            assert finals(await until(stream, "settled")) == "one two three"
            assert stream.reconnects == 1

    await play(scene)


async def test_a_recogniser_that_rests_is_not_asked(play: Play) -> None:
    async def scene(process: Process) -> None:
        process.simulator.faults.extend([Fault(status=503)] * 6)
        for _ in range(3):
            with pytest.raises(ProviderUnavailableError):
                await process.ring()
        left = len(process.simulator.faults)
        with pytest.raises(ProviderUnavailableError, match="resting"):
            await process.ring()
        assert len(process.simulator.faults) == left

    await play(scene)


def test_recognisers_without_a_connection_await_nothing(settings: Settings) -> None:
    settings.DEEPGRAM_API_KEY = ""
    assert isinstance(Deepgram(), AwaitsCalls)
    assert not isinstance(ScriptedSpeechToText(()), AwaitsCalls)
