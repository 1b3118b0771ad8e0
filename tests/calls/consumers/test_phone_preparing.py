"""The first words of a call, made while the telephone rings."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

import pytest
from django.db import OperationalError
from msgspec.structs import replace
from pytest_django import Settings
from uuid_utils.compat import uuid7

from calls import services
from calls.consumers.phone import preparing as module
from calls.consumers.phone.preparing import Preparing, first_words
from calls.engine.agent import AgentSpec, Telephone
from calls.enums import AttemptStatus
from calls.errors import AgentError, MissingVariableError
from calls.providers.registry import CallProviders
from calls.runner.simulation import run_virtually
from calls.telephony import inbound
from tests.calls import phones, rows
from tests.calls.consumers.phone_driver import ATTEMPT_ID, Exchange, Planned, hold, scripted
from tests.calls.runner.fakes import FakeSynthesiser, agent
from tests.simulators.media_stream import AsgiLine

SPEC = agent(opening="Hello {{name}}.", telephone=Telephone(notice="I am Ada, an AI."))


@pytest.fixture(autouse=True)
def _few_lines(settings: Settings) -> None:
    settings.RESUME_LINE, settings.FALLBACK_LINES = "Sorry.", ("Again?", "Wait.", "Bye.")


def test_the_first_words_are_the_notice_and_the_opening_and_what_is_said_in_trouble() -> None:
    assert first_words(SPEC, {"name": "Bo"}) == {
        "I am Ada, an AI.": True,
        "Hello Bo.": False,
        "Sorry.": True,
        "Again?": True,
        "Wait.": True,
        "Bye.": True,
    }
    phone = replace(SPEC, telephone=Telephone(opening="Good day.||BREAK|| Is it {{name}}?"))
    words = list(first_words(phone, {"name": "Bo"}).items())
    assert words[:2] == [("Good day.", False), ("Is it Bo?", False)]
    with pytest.raises(MissingVariableError):
        first_words(SPEC, {})


class Process:
    """A web process that prepares calls: what was loaded and warmed, and with which cache."""

    def __init__(self, folder: Path, spec: AgentSpec = SPEC, failure: Exception | None = None) -> None:
        self.synthesiser = FakeSynthesiser()
        self.providers: CallProviders = scripted(folder, tts=self.synthesiser)
        self.loaded: list[UUID] = []
        self.warmed: list[str] = []
        self._spec = spec
        self._failure = failure
        self.preparing = Preparing(load_providers=self._load_providers, warm=self._warm)

    async def _load_providers(self, _: AgentSpec) -> CallProviders:
        return self.providers

    async def _warm(self, spec: AgentSpec) -> None:
        self.warmed.append(spec.name)

    async def load(self, attempt_id: UUID) -> Planned:
        self.loaded.append(attempt_id)
        if self._failure:
            raise self._failure
        return Planned(spec=self._spec, variables={"name": "Bo"})


def play(process: Process, scenario: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        process.preparing.begin(process.load)
        await scenario()
        await process.preparing.aclose()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run_virtually(whole())


def test_a_call_that_rings_is_prepared_once_in_whichever_thread_it_is_heard_of(tmp_path: Path) -> None:
    process = Process(tmp_path)

    async def scenario() -> None:
        threads = [threading.Thread(target=process.preparing.expect, args=[ATTEMPT_ID]) for _ in range(3)]
        for thread in threads:
            thread.start()
            thread.join()
        await asyncio.sleep(1)
        process.preparing.expect(uuid7())
        await asyncio.sleep(1)

    play(process, scenario)
    assert (process.loaded[0], len(process.loaded), process.warmed) == (ATTEMPT_ID, 2, [SPEC.name] * 2)
    assert sorted(process.synthesiser.said) == sorted(first_words(SPEC, {"name": "Bo"}))
    names = {path.name for path in tmp_path.iterdir()}
    assert len(names) == len(process.synthesiser.said) - 1  # all but the words to one person


@pytest.mark.parametrize("failure", [AgentError("gone"), OperationalError("away"), TimeoutError()])
def test_what_cannot_be_prepared_is_left_to_the_call(
    tmp_path: Path, failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    process = Process(tmp_path, failure=failure)

    async def scenario() -> None:
        process.preparing.expect(ATTEMPT_ID)
        await asyncio.sleep(1)

    with caplog.at_level("INFO"):
        play(process, scenario)
    assert "is not prepared" in caplog.text
    assert process.synthesiser.said == []


def test_a_process_without_calls_prepares_none(tmp_path: Path) -> None:
    process = Process(tmp_path)
    process.preparing.expect(ATTEMPT_ID)

    async def scenario() -> None:
        await process.preparing.aclose()
        process.preparing.expect(ATTEMPT_ID)
        await asyncio.sleep(1)

    play(process, scenario)
    assert process.loaded == []


def test_prepared_words_are_heard_at_once_however_slow_the_voice_is(tmp_path: Path) -> None:
    spec = agent(opening="Hello {{name}}.")
    process = Process(tmp_path, spec)
    exchange = Exchange(spec, providers=process.providers)
    exchange.variables = {"name": "Bo"}

    async def prepare() -> None:
        process.preparing.expect(ATTEMPT_ID)
        await asyncio.sleep(1)
        process.synthesiser.delay = 5.0

    play(process, prepare)
    process.providers.cache._making.clear()

    async def scenario(line: AsgiLine) -> None:
        await line.leg.until_heard(300)

    line = hold(exchange, scenario)
    assert line.leg.first_audio_at is not None
    assert line.leg.first_audio_at < 0.02


@pytest.mark.django_db(transaction=True)
def test_a_process_hears_of_a_call_from_its_ringing_on(monkeypatch: pytest.MonkeyPatch) -> None:
    expected: list[UUID] = []
    over: list[UUID] = []
    monkeypatch.setattr(module.preparing, "expect", expected.append)
    monkeypatch.setattr(module.preparing, "forget", over.append)
    attempt = phones.attempt()
    told = [AttemptStatus.QUEUED, AttemptStatus.RINGING, AttemptStatus.RINGING, AttemptStatus.IN_PROGRESS]
    for status in told:
        services.advance_attempt(attempt.pk, status, at=rows.BEGAN)
    services.advance_attempt(attempt.pk, AttemptStatus.COMPLETED, at=rows.BEGAN)
    assert (expected, over) == ([attempt.pk] * 3, [attempt.pk])


@pytest.mark.django_db(transaction=True)
def test_a_call_to_us_is_prepared_while_it_is_greeted(monkeypatch: pytest.MonkeyPatch) -> None:
    expected: list[UUID] = []
    monkeypatch.setattr(module.preparing, "expect", expected.append)
    rows.agent(is_default=True)
    for _ in range(2):
        attempt = inbound.take("CA" + "0a" * 16, caller=phones.SOMEBODY, called=phones.OUR_NUMBER, carrier="twilio")
    assert attempt is not None
    assert expected == [attempt.pk]
