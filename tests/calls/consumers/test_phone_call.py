"""Whole telephone calls: the carrier's side, the real consumer, runner and engine, and providers without any luck."""

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings
from uuid_utils.compat import uuid7

from calls.consumers.phone.plan import CHUNK_MS, FIRST_CHUNK_MS
from calls.engine.agent import Intent
from calls.engine.events import SpokenTurn, TranscriptReceived
from calls.engine.phonecall import AnswererDetected
from calls.enums import EndReason, Speaker
from calls.providers.base import TextDelta
from calls.providers.scripted.voice import word_times
from calls.runner.simulation import run_virtually
from calls.wire.audio import AudioFormat, silence
from calls.wire.twilio import LINE_FORMAT
from tests.calls.consumers.phone_driver import TOKEN, Exchange, hold, hum, scripted, settle
from tests.calls.runner.fakes import FakeModel, FakeRecogniser, FakeSynthesiser, agent
from tests.simulators.media_stream import SILENCE, AsgiLine

INTENTS = (
    Intent(name="hours", examples=("when are you open",), answer="We are open from nine to five, every day."),
    Intent(name="bye", examples=("goodbye",), answer="Thank you, goodbye.", ends_call=True),
)
SPEC = agent(opening="Hello, this is the bakery.", intents=INTENTS, goodbye="Thank you, goodbye.")
RESUMED = "Sorry, I lost you for a second."
OPENING_MS = 60 * len(SPEC.opening)


def said(exchange: Exchange) -> list[tuple[Speaker, str]]:
    return [(turn.speaker, turn.text) for turn in exchange.sink.turns]


def media(line: AsgiLine) -> list[tuple[float, float]]:
    """When which length of speech was sent, in milliseconds."""
    sent = [(at, message["media"]["payload"]) for at, message in line.leg.taken if message["event"] == "media"]
    return [(at * 1000, len(payload.rstrip("=")) * 3 // 4 / 8) for at, payload in sent]


def test_a_call_from_hello_to_goodbye(tmp_path: Path) -> None:
    exchange = Exchange(SPEC, providers=scripted(tmp_path, "when are you open", "goodbye"))

    async def scenario(line: AsgiLine) -> None:
        await line.leg.until_heard(OPENING_MS)
        await asyncio.sleep(1)
        line.leg.say(hum(1200))
        await line.leg.until_heard(OPENING_MS + 2000)
        await asyncio.sleep(2)
        line.leg.say(hum(800))
        await line.ended()

    line = hold(exchange, scenario)
    assert line.code == 1000
    assert said(exchange) == [
        (Speaker.AGENT, "Hello, this is the bakery."),
        (Speaker.CALLER, "when are you open"),
        (Speaker.AGENT, "We are open from nine to five, every day."),
        (Speaker.CALLER, "goodbye"),
        (Speaker.AGENT, "Thank you, goodbye."),
    ]
    assert exchange.sink.reason is EndReason.AGENT_SAID_GOODBYE
    assert exchange.sink.totals is not None
    assert exchange.sink.totals.conversion_errors == 0
    # The socket stayed open until the last word was played.
    assert (line.leg.queued_ms, line.leg.cleared_ms) == (0, 0)


def test_a_second_stream_goes_on_with_what_was_said_on_the_first(tmp_path: Path) -> None:
    exchange = Exchange(SPEC, providers=scripted(tmp_path, "when are you open", "goodbye"))
    exchange.history = (
        SpokenTurn(0, Speaker.AGENT, SPEC.opening, 0, 900),
        SpokenTurn(1, Speaker.CALLER, "when are you open", 1000, 1900),
        SpokenTurn(2, Speaker.AGENT, "We are open from nine to five. Is there more?", 2000, 2900),
    )

    async def scenario(line: AsgiLine) -> None:
        await line.leg.until_heard(2000)
        await asyncio.sleep(2)
        line.leg.say(hum(800))
        await asyncio.sleep(4)

    line = hold(exchange, scenario)
    assert [(turn.index, turn.text) for turn in exchange.sink.turns[:3]] == [
        (3, f"{RESUMED} Is there more?"),
        (4, "when are you open"),
        (5, "We are open from nine to five, every day."),
    ]
    assert line.leg.first_audio_at is not None
    assert line.leg.first_audio_at < 0.1


def test_the_first_word_leaves_as_soon_as_the_call_is_loaded(tmp_path: Path) -> None:
    exchange = Exchange(SPEC, providers=scripted(tmp_path))
    exchange.delay = 0.05

    async def scenario(line: AsgiLine) -> None:
        await line.leg.until_heard(OPENING_MS)

    line = hold(exchange, scenario)
    assert line.leg.first_audio_at is not None
    assert line.leg.first_audio_at == pytest.approx(0.1, abs=0.001)


def test_mu_law_passes_unchanged_in_both_directions(tmp_path: Path) -> None:
    """No conversion stands between the line and providers that speak its format."""
    recogniser, synthesiser = FakeRecogniser(), FakeSynthesiser()
    exchange = Exchange(SPEC, providers=scripted(tmp_path, stt=recogniser, tts=synthesiser))
    spoken = hum(400)

    async def scenario(line: AsgiLine) -> None:
        await line.leg.until_heard(OPENING_MS)
        line.leg.say(spoken)
        await asyncio.sleep(1)

    line = hold(exchange, scenario)
    assert recogniser.streams[0].options.format == LINE_FORMAT
    assert synthesiser.streams[0].format == LINE_FORMAT
    assert bytes(recogniser.streams[0].heard).strip(SILENCE) == spoken.strip(SILENCE)
    assert bytes(line.leg.heard) == silence(LINE_FORMAT, OPENING_MS)


def test_providers_of_another_format_are_served_by_conversion(tmp_path: Path) -> None:
    recogniser = FakeRecogniser(rates=(16_000,))
    synthesiser = FakeSynthesiser(audio=AudioFormat(rate=24_000))
    exchange = Exchange(SPEC, providers=scripted(tmp_path, stt=recogniser, tts=synthesiser))

    async def scenario(line: AsgiLine) -> None:
        await line.leg.until_heard(OPENING_MS)
        line.leg.say(hum(400))
        await asyncio.sleep(1)

    line = hold(exchange, scenario)
    assert recogniser.streams[0].options.format == AudioFormat(rate=16_000)
    assert len(line.leg.heard) / 8 == pytest.approx(OPENING_MS, abs=5)
    assert len(recogniser.streams[0].heard) == pytest.approx((OPENING_MS + 1000) * 32, rel=0.05)


@pytest.mark.parametrize("lead_ms", [200, 400, 1000])
def test_speech_is_sent_ahead_by_no_more_than_the_setting(tmp_path: Path, settings: Settings, lead_ms: int) -> None:
    settings.PHONE_LEAD_MS = lead_ms
    exchange = Exchange(agent(opening="A long opening line. " * 6), providers=scripted(tmp_path))

    async def scenario(line: AsgiLine) -> None:
        await line.leg.until_heard(5000)

    line = hold(exchange, scenario)
    assert lead_ms - CHUNK_MS <= line.leg.most_queued_ms <= lead_ms
    sizes = [duration_ms for _, duration_ms in media(line)]
    assert sizes[0] == FIRST_CHUNK_MS
    assert max(sizes) == CHUNK_MS
    # And it never runs dry: each piece comes before those sent earlier are played.
    at_ms = media(line)[0][0]
    for (sent_ms, duration_ms), (next_ms, _) in pairwise(media(line)):
        at_ms = max(at_ms, sent_ms) + duration_ms
        assert next_ms < at_ms


COUNTING = "One two three four five six seven eight nine ten eleven twelve."


def heard_words(duration_ms: float) -> str:
    """The words of ``COUNTING`` that a person has heard to their end after so much of it."""
    return " ".join(word.text for word in word_times(COUNTING) if word.end_ms <= duration_ms)


def test_the_caller_cuts_in_and_only_what_was_played_counts_as_heard(tmp_path: Path) -> None:
    exchange = Exchange(agent(opening=COUNTING, intents=INTENTS), providers=scripted(tmp_path, "when are you open"))
    spoke_at = []

    async def scenario(line: AsgiLine) -> None:
        await line.leg.until_heard(1500)
        spoke_at.append(asyncio.get_running_loop().time())
        line.leg.say(hum(1200))
        await asyncio.sleep(8)

    line = hold(exchange, scenario)
    (cleared_at,), (heard_ms,) = line.leg.cleared_at, line.leg.heard_at_clear_ms
    assert cleared_at - spoke_at[0] <= 0.2
    assert 0 < line.leg.cleared_ms <= 400
    assert [(turn.speaker, turn.text, turn.interrupted) for turn in exchange.sink.turns] == [
        (Speaker.AGENT, heard_words(heard_ms), True),
        (Speaker.CALLER, "when are you open", False),
        (Speaker.AGENT, "We are open from nine to five, every day.", False),
    ]
    assert heard_words(heard_ms) == "One two three four five six"


@pytest.mark.parametrize("late_ms", [400, 1000, 2500])
def test_a_line_that_plays_late_is_believed(tmp_path: Path, late_ms: int) -> None:
    """The carrier holds the speech back: marks say so, and the cut comes where the person was."""
    exchange = Exchange(agent(opening=COUNTING), providers=scripted(tmp_path, stt=FakeRecogniser()))

    async def scenario(line: AsgiLine) -> None:
        line.leg.plays_from = asyncio.get_running_loop().time() + late_ms / 1000
        await line.leg.until_heard(1500)
        line.leg.say(hum(400))
        await asyncio.sleep(0.5)

    line = hold(exchange, scenario)
    assert [(turn.text, turn.interrupted) for turn in exchange.sink.turns] == [
        (heard_words(line.leg.heard_at_clear_ms[0]), True)
    ]


def test_a_mark_of_cleared_audio_is_not_heard(tmp_path: Path) -> None:
    """Nothing at all was played when the caller cut in; then all marks came back at once."""
    exchange = Exchange(agent(opening=COUNTING), providers=scripted(tmp_path, stt=FakeRecogniser()))

    async def scenario(line: AsgiLine) -> None:
        line.leg.plays_from = asyncio.get_running_loop().time() + 60
        await asyncio.sleep(0.1)
        line.leg.say(hum(400))
        await asyncio.sleep(1)

    line = hold(exchange, scenario)
    returned = [name for name, is_played in line.leg.returned if not is_played]
    assert (len(returned) >= 4, len(line.leg.heard)) == (True, 0)
    assert [turn.text for turn in exchange.sink.turns] == []


def test_keys_are_facts_of_the_call(tmp_path: Path) -> None:
    exchange = Exchange(SPEC, providers=scripted(tmp_path))

    async def scenario(line: AsgiLine) -> None:
        line.leg.press("1")
        await asyncio.sleep(1)
        line.leg.press("#")
        await settle()

    hold(exchange, scenario)
    assert [event for event in exchange.sink.events if event[0] == "dtmf"] == [
        ("dtmf", 0, {"digit": "1"}),
        ("dtmf", 1000, {"digit": "#"}),
    ]


def test_what_the_caller_says_while_the_call_is_loaded_is_heard(tmp_path: Path) -> None:
    recogniser = FakeRecogniser()
    exchange = Exchange(SPEC, providers=scripted(tmp_path, stt=recogniser))
    exchange.delay = 0.4
    spoken = hum(600)

    async def scenario(line: AsgiLine) -> None:
        line.leg.say(spoken)
        await asyncio.sleep(2)

    hold(exchange, scenario)
    assert bytes(recogniser.streams[0].heard).strip(SILENCE) == spoken.strip(SILENCE)


def test_the_opening_is_filled_with_what_is_known_of_the_person(tmp_path: Path) -> None:
    synthesiser = FakeSynthesiser()
    exchange = Exchange(agent(opening="Hello {{first_name}}."), providers=scripted(tmp_path, tts=synthesiser))
    exchange.variables = {"first_name": "Ada"}
    exchange.language = "en-GB"

    async def scenario(_: AsgiLine) -> None:
        await asyncio.sleep(2)

    hold(exchange, scenario)
    assert "Hello Ada." in synthesiser.said
    assert exchange.sink.attached == {
        "agent_id": exchange.sink.attached["agent_id"],
        "version_id": exchange.sink.attached["version_id"],
        "language": "en-GB",
        "variables": {"first_name": "Ada"},
    }


def test_both_voices_are_recorded_where_they_sounded(tmp_path: Path) -> None:
    exchange = Exchange(SPEC, providers=scripted(tmp_path))

    async def scenario(line: AsgiLine) -> None:
        await line.leg.until_heard(OPENING_MS)

    hold(exchange, scenario)
    sides: dict[Speaker, Any] = {side: [a for a in exchange.sink.audio if a[0] is side] for side in Speaker}
    assert sides[Speaker.AGENT][0][1] == 0
    assert sum(len(pcm) for _, _, pcm, _ in sides[Speaker.AGENT]) == OPENING_MS * 16
    assert sides[Speaker.CALLER][-1][1] == pytest.approx(OPENING_MS, abs=60)
    assert {rate for _, _, _, rate in exchange.sink.audio} == {8000}


def test_calls_at_the_same_time_do_not_mix(tmp_path: Path) -> None:
    """Each hears its own answer and nothing of the others."""
    calls = []
    for number in range(20):
        recogniser = FakeRecogniser()
        model = FakeModel([TextDelta(f"Answer number {number}.")])
        exchange = Exchange(agent(opening=""), providers=scripted(tmp_path, stt=recogniser, llm=model))
        exchange.tokens[TOKEN] = uuid7()
        calls.append((exchange, recogniser))

    async def play() -> None:
        lines = [exchange.line(stream_sid=f"MZ{number}") for number, (exchange, _) in enumerate(calls)]
        await settle()
        for line in lines:
            line.leg.say(hum(400))
        await asyncio.sleep(0.5)
        for number, (_, recogniser) in enumerate(calls):
            recogniser.streams[0].emit(TranscriptReceived(f"question {number}", is_final=True, is_settled=True))
        await asyncio.sleep(5)
        for line in lines:
            line.leg.hang_up()
            await line.ended()

    run_virtually(play())
    assert [said(exchange) for exchange, _ in calls] == [
        [(Speaker.CALLER, f"question {number}"), (Speaker.AGENT, f"Answer number {number}.")] for number in range(20)
    ]


def test_the_carriers_verdict_reaches_the_conversation_from_its_row_alone() -> None:
    """Its callback may have come to another process, with no layer between the two."""
    exchange = Exchange()

    async def scenario(_: AsgiLine) -> None:
        await asyncio.sleep(1.5)
        assert AnswererDetected("machine_end_beep") not in exchange.runner.told
        exchange.answered_by = "machine_end_beep"
        await asyncio.sleep(1)

    hold(exchange, scenario)
    assert exchange.runner.told.count(AnswererDetected("machine_end_beep")) == 1
