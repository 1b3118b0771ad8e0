"""A telephone call without a telephone: the carrier's side of the stream, and parts under the test's control."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from msgspec import Struct

from calls.consumers.phone import PhoneConsumer
from calls.consumers.phone.call import Parts
from calls.consumers.phone.line import Switchboard
from calls.consumers.phone.lines import phone_lines
from calls.engine.agent import AgentSpec
from calls.engine.events import SpokenTurn
from calls.enums import AudioEncoding, Direction, Door, RecordingOrder
from calls.live import live_calls
from calls.providers.base import LanguageModel, SpeechToText, TextToSpeech
from calls.providers.cache import SpeechCache
from calls.providers.registry import CallProviders
from calls.providers.scripted import ScriptedAgent, ScriptedSpeechToText, ScriptedTextToSpeech
from calls.runner.call import CallRunner
from calls.runner.simulation import run_virtually
from calls.telephony import verdicts
from calls.wire.audio import encode
from tests.calls.consumers.driver import AGENT_ID, VERSION_ID, FakeRunner, Sink
from tests.calls.runner.fakes import FakeDetector, agent
from tests.simulators.media_stream import AsgiLine, Leg

ATTEMPT_ID = UUID("01930000-0000-7000-8000-0000000000a1")
TOKEN = "token-1"


class Granted(Struct, frozen=True):
    attempt_id: UUID


class Planned(Struct, frozen=True):
    spec: AgentSpec
    variables: Mapping[str, str]
    language: str = ""
    direction: Direction = Direction.INBOUND  # nobody wonders who it is
    history: tuple[SpokenTurn, ...] = ()
    earlier_seconds: float = 0.0
    is_noticed: bool = True
    has_objected: bool = False
    resumes_recording: bool = False
    is_briefing: bool = False
    is_consulting: bool = False
    resume_line: str = ""
    last_line: str = ""
    agent_id: UUID = AGENT_ID
    version_id: UUID = VERSION_ID


class Exchange:
    """Issues tokens, makes the parts of calls and keeps what it made; with ``providers`` the calls are real ones.

    ``delay``: how long the database takes for each question, in seconds.
    """

    def __init__(self, spec: AgentSpec | None = None, *, providers: CallProviders | None = None) -> None:
        self.spec = spec or agent(opening="Hello.")
        self.variables: Mapping[str, str] = {}
        self.language = ""
        self.history: tuple[SpokenTurn, ...] = ()
        self.has_objected = False
        self.providers = providers
        self.delay = 0.0
        self.planned: dict[str, Any] = {}
        self.switchboard: Switchboard | None = None
        self.redeem_failure: Exception | None = None
        self.load_failure: Exception | None = None
        self.sink_failure: Exception | None = None
        self.tokens = {TOKEN: ATTEMPT_ID}
        self.asked_for: list[str] = []
        self.session_ids: list[UUID] = []
        self.loaded: list[UUID] = []
        self.ended_legs: list[UUID] = []
        self.recording: list[str] = []
        self.answered_by = ""
        self.runners: list[FakeRunner] = []
        self.sinks: list[Sink] = []

    @property
    def runner(self) -> FakeRunner:
        return self.runners[-1]

    @property
    def sink(self) -> Sink:
        return self.sinks[-1]

    def issue(self, token: str, attempt_id: UUID = ATTEMPT_ID) -> str:
        self.tokens[token] = attempt_id
        return token

    def parts(self) -> Parts:
        return Parts(
            make_runner=self._make_runner,
            resolve=self._resolve,
            open_sink=self._open_sink,
            redeem=self._redeem,
            switchboard=self.switchboard,
            load=self._load,
            end_leg=self._end_leg,
            order_recording=self._order_recording,
            follow=partial(verdicts.follow, rows=verdicts.Rows(self._read_verdicts)),
            is_signed=lambda headers: (b"x-signed", b"no") not in headers,
        )

    async def _redeem(self, token: str, session_id: UUID) -> Granted | None:
        self.asked_for.append(token)
        self.session_ids.append(session_id)
        await asyncio.sleep(self.delay)
        if self.redeem_failure:
            raise self.redeem_failure
        attempt_id = self.tokens.pop(token, None)
        return None if attempt_id is None else Granted(attempt_id)

    async def _load(self, grant: Any) -> Planned:
        self.loaded.append(grant.attempt_id)
        await asyncio.sleep(self.delay)
        if self.load_failure:
            raise self.load_failure
        return Planned(
            spec=self.spec,
            variables=self.variables,
            language=self.language,
            history=self.history,
            has_objected=self.has_objected,
            **self.planned,
        )

    async def _end_leg(self, attempt_id: UUID) -> None:
        self.ended_legs.append(attempt_id)

    async def _order_recording(self, attempt_id: UUID, order: RecordingOrder) -> None:
        assert attempt_id == ATTEMPT_ID
        await asyncio.sleep(0.2 if order is RecordingOrder.START else 0)
        self.recording.append(order.value)

    async def _read_verdicts(self, attempt_ids: Collection[UUID]) -> dict[UUID, str]:
        return {attempt_id: self.answered_by for attempt_id in attempt_ids if self.answered_by}

    def _resolve(self, _: AgentSpec) -> Any:
        return self.providers

    def _open_sink(self, session_id: UUID, door: Door, user_id: int | None) -> Any:
        if self.sink_failure:
            raise self.sink_failure
        assert (session_id, door, user_id) == (self.session_ids[-1], Door.PHONE, None)
        self.sinks.append(Sink())
        return self.sink

    def _make_runner(self, **arguments: Any) -> Any:
        if self.providers is not None:
            return CallRunner(**arguments, clock=asyncio.get_running_loop().time)
        self.runners.append(FakeRunner(**arguments))
        return self.runner

    def application(self) -> Any:
        return PhoneConsumer.as_asgi(parts=self.parts())

    def line(self, token: str = TOKEN, **fields: Any) -> AsgiLine:
        return AsgiLine(self.application(), Leg({"token": token} if token else {}, **fields))


def scripted(
    folder: Path,
    *utterances: str,
    stt: SpeechToText | None = None,
    llm: LanguageModel | None = None,
    tts: TextToSpeech | None = None,
) -> CallProviders:
    """The scripted providers: the caller says these, whatever is hummed into the telephone."""
    return CallProviders(
        stt=stt or ScriptedSpeechToText(utterances),
        llms=(llm or ScriptedAgent(),),
        tts=(tts or ScriptedTextToSpeech(),),
        vad=FakeDetector(),
        cache=SpeechCache(folder),
    )


def hum(duration_ms: float, hz: float = 300.0) -> bytes:
    """A voice, for ears that only know loud from quiet."""
    at = np.arange(round(duration_ms * 8)) / 8000
    return encode(np.rint(8000 * np.sin(2 * np.pi * hz * at)).astype("<i2").tobytes(), AudioEncoding.MULAW)


async def settle() -> None:
    for _ in range(30):
        await asyncio.sleep(0)


def hold(exchange: Exchange, scenario: Callable[[AsgiLine], Awaitable[None]], token: str = TOKEN) -> AsgiLine:
    """Play ``scenario`` on an answered call, end it, and see that nothing is left of it."""

    async def play() -> AsgiLine:
        line = exchange.line(token)
        await settle()
        await scenario(line)
        if not line.serving.done():
            line.leg.hang_up()
        await line.ended()
        await asyncio.sleep(60)  # what calls may share, like a line that is being made, ends by itself
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert left == set()
        assert (live_calls.count, phone_lines._holders) == (0, {})
        return line

    return run_virtually(play())
