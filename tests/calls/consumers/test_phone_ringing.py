"""What a call needs of the vendors is connected while the telephone rings: their SDKs, and simulators of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest
from msgspec.structs import replace
from pytest_django.fixtures import Settings
from uuid_utils.compat import uuid7

from calls.consumers.phone.lines import phone_lines
from calls.consumers.phone.preparing import Preparing
from calls.engine.agent import AgentSpec
from calls.live import live_calls
from calls.providers import registry
from calls.providers.registry import CallProviders
from calls.providers.scripted import ScriptedSpeechToText
from tests.calls.consumers.phone_driver import ATTEMPT_ID, TOKEN, Exchange, Planned, scripted
from tests.calls.consumers.test_phone_socket import served, until
from tests.calls.runner.fakes import agent
from tests.simulators import sound
from tests.simulators.cartesia import CartesiaSimulator
from tests.simulators.deepgram import DeepgramSimulator
from tests.simulators.media_stream import Leg, SocketLine
from tests.simulators.openai import OpenAISimulator

SPEC = agent(opening="Hello.", key_terms=("Vantum",))
OTHER = replace(SPEC, key_terms=("Quantum",))


class Vendors:
    """The three, and a web process that prepares calls with them. ``plans``: which agent a call is to have."""

    def __init__(self) -> None:
        self.deepgram, self.openai, self.cartesia = DeepgramSimulator(), OpenAISimulator(), CartesiaSimulator()
        self.preparing = Preparing()
        self.plans: dict[UUID, AgentSpec] = {}

    async def load(self, attempt_id: UUID) -> Planned:
        return Planned(spec=self.plans.get(attempt_id, SPEC), variables={})

    def ring(self, spec: AgentSpec = SPEC, attempt_id: UUID | None = None) -> UUID:
        attempt_id = attempt_id or uuid7()
        self.plans[attempt_id] = spec
        self.preparing.expect(attempt_id)
        return attempt_id

    async def until_live(self, count: int) -> None:
        await until(lambda: self.deepgram.live == count)

    async def stays_live(self, count: int) -> None:
        for _ in range(30):
            assert self.deepgram.live == count
            await asyncio.sleep(0.01)


@pytest.fixture
async def vendors(settings: Settings, tmp_path: Path) -> AsyncIterator[Vendors]:
    made = Vendors()
    settings.DATA_DIR, settings.FALLBACK_LINES, settings.RESUME_LINE = tmp_path, ("Again?", "Wait.", "Bye."), "Sorry."
    settings.DEFAULT_PROVIDERS = {"stt": "deepgram", "llm": "openai", "tts": "cartesia"}
    settings.DEEPGRAM_API_KEY = settings.OPENAI_API_KEY = settings.CARTESIA_API_KEY = "key"
    settings.DEEPGRAM_MODEL = "flux-general-en"
    async with AsyncExitStack() as stack:
        for simulator in (made.deepgram, made.openai, made.cartesia):
            await stack.enter_async_context(simulator)
        settings.DEEPGRAM_BASE_URL, settings.OPENAI_BASE_URL = made.deepgram.url, made.openai.url
        settings.CARTESIA_BASE_URL = made.cartesia.url
        made.preparing.begin(made.load)
        own = asyncio.all_tasks()
        yield made
        await made.preparing.aclose()
        await registry.aclose_all()
        await made.until_live(0)
        assert (made.preparing._tasks, phone_lines._holders, live_calls.count) == ({}, {}, 0)
        await until(lambda: asyncio.all_tasks() - own == {asyncio.current_task()})


@asynccontextmanager
async def answered(providers: CallProviders, spec: AgentSpec = SPEC) -> AsyncIterator[tuple[Leg, Exchange]]:
    exchange = Exchange(spec, providers=providers)
    async with served(exchange.application()) as url:
        line = SocketLine(url, Leg({"token": TOKEN}))
        carrying = asyncio.create_task(line.run())
        yield line.leg, exchange
        line.leg.hang_up()
        await carrying
        await until(lambda: not live_calls.count)


async def test_all_three_are_connected_before_the_stream_and_used_by_it(vendors: Vendors) -> None:
    vendors.ring(attempt_id=ATTEMPT_ID)
    await until(lambda: vendors.deepgram.live == vendors.cartesia.live == vendors.openai.live == 1)
    await until(lambda: len(vendors.cartesia.spoken) == 5)  # the opening, and what is said in trouble
    assert vendors.deepgram.audio_seconds == [0.0]
    async with answered(registry.resolve(SPEC)) as (leg, exchange):
        await leg.until_heard(100, seconds=10)
        leg.say(sound.encode("mulaw", sound.spoken("one two", 8000)))
        await until(lambda: "one two" in [turn.text for turn in exchange.sink.turns])
        await until(lambda: vendors.cartesia.spoken[-1] == "You said: one two ")
    assert (len(vendors.deepgram.requests), vendors.cartesia.connections, vendors.openai.connections) == (1, 1, 1)


async def test_a_call_that_was_answered_before_it_was_heard_ringing_connects_once(vendors: Vendors) -> None:
    """The stream is here already when the process that has it hears of the ringing: nothing is left to hold."""
    async with answered(registry.resolve(SPEC)) as (leg, _):
        await leg.until_heard(100, seconds=10)
        vendors.ring(attempt_id=ATTEMPT_ID)
        await until(lambda: vendors.preparing._known and not vendors.preparing._tasks)
        assert len(vendors.deepgram.requests) == 1


async def test_no_more_are_held_than_may_be_and_who_waits_gets_the_next_place(
    vendors: Vendors, settings: Settings
) -> None:
    settings.WAITING_CONNECTIONS = 2
    vendors.preparing.begin(vendors.load)
    rings = [vendors.ring() for _ in range(6)]
    await vendors.until_live(2)
    await vendors.stays_live(2)
    async with answered(registry.resolve(SPEC)) as (leg, _):
        await leg.until_heard(100, seconds=10)
        await vendors.until_live(3)
        await vendors.stays_live(3)
        assert len(vendors.deepgram.requests) == 3
    for attempt_id in rings:
        vendors.preparing.forget(attempt_id)
    await vendors.until_live(0)
    assert len(vendors.deepgram.requests) <= 4


async def test_two_agents_have_each_their_own(vendors: Vendors) -> None:
    vendors.ring(attempt_id=ATTEMPT_ID)
    vendors.ring(OTHER)
    await vendors.until_live(2)
    async with answered(registry.resolve(OTHER), OTHER) as (leg, _):
        await leg.until_heard(100, seconds=10)
        assert vendors.deepgram.live == 2
    await vendors.until_live(1)


async def test_what_nobody_answers_is_closed_after_the_longest_ringing(vendors: Vendors, settings: Settings) -> None:
    settings.RING_SECONDS = -9.5  # half a second with what an answered call may take
    vendors.ring()
    await vendors.until_live(1)
    await vendors.until_live(0)
    assert vendors.deepgram.control == ["CloseStream"]


async def test_a_process_that_stops_closes_what_it_holds_and_takes_no_more(vendors: Vendors) -> None:
    vendors.ring()
    await vendors.until_live(1)
    live_calls.is_draining = True
    try:
        vendors.ring(OTHER)
        await vendors.stays_live(1)
    finally:
        live_calls.is_draining = False
    await vendors.preparing.aclose()
    await vendors.until_live(0)


async def test_without_keys_nothing_is_held(tmp_path: Path) -> None:
    providers = scripted(tmp_path, stt=ScriptedSpeechToText(()))

    async def load(_: AgentSpec) -> CallProviders:
        return providers

    async def warm(_: AgentSpec) -> None:
        pass

    preparing = Preparing(load_providers=load, warm=warm)
    preparing.begin(Vendors().load)
    preparing.expect(uuid7())
    await until(lambda: preparing._known and not preparing._tasks)
    await preparing.aclose()
