"""Every persona in every wording against an agent that only knows when to speak; no clock, no audio but hums."""

import re

import pytest

from calls.demo import DEMO_AGENT
from calls.enums import AudioEncoding
from calls.sandbox.catalogue import CATALOGUE, PersonaKind
from calls.sandbox.ears import Ears
from calls.sandbox.leg import SILENCE
from calls.sandbox.person import Person
from calls.sandbox.personas import cast
from calls.sandbox.personas.cast import Outcome
from calls.sandbox.personas.wordings import WORDINGS
from calls.sandbox.voice import beeps
from calls.wire.audio import encode
from calls.wire.tones import keys_pcm
from tests.calls.consumers.phone_driver import hum

ANSWERED = [listing for listing in CATALOGUE if cast(listing.number, 0).outcome is Outcome.ANSWERED]
TALKERS = [kind for kind, wordings in WORDINGS.items() if any(wordings)]
NUMBERS = {listing.kind: listing.number for listing in CATALOGUE}


class Agent:
    """Speaks for two seconds when the other side has been quiet for 0.8 s, so many times; or presses a key."""

    def __init__(self, turns: int, key: str = "") -> None:
        self._ears = Ears()
        self._turns = turns
        key_tone = encode(keys_pcm(key, 8000), AudioEncoding.MULAW) if key else b""
        self._answer = key_tone or hum(2000)
        self._frames: list[bytes] = []

    def exchange(self, heard: bytes) -> bytes:
        self._ears.hear(heard)
        if not self._frames and self._turns and self._ears.quiet_ms >= 800 and self._ears.spoken_ms:
            self._turns -= 1
            self._ears.forget()
            self._frames = [
                self._answer[at : at + 160].ljust(160, SILENCE[:1]) for at in range(0, len(self._answer), 160)
            ]
        return self._frames.pop(0) if self._frames else SILENCE


def play(kind: PersonaKind, attempt: int, agent: Agent) -> Person:
    """Play until the persona hangs up, four minutes at most."""
    casting = cast(NUMBERS[kind], attempt)
    person = Person(casting.script(), {line: beeps(line) for line in casting.lines}, casting.line)
    heard = SILENCE
    for _ in range(4 * 60 * 50):
        heard = agent.exchange(person.exchange(heard))
        if person.is_gone:
            return person
    message = f"{kind} never hangs up"
    raise AssertionError(message)


@pytest.mark.parametrize("listing", ANSWERED, ids=lambda listing: listing.kind)
@pytest.mark.parametrize("attempt", [0, 1, 2])
def test_every_call_ends_even_when_the_agent_says_nothing(listing: object, attempt: int) -> None:
    kind = listing.kind  # type: ignore[attr-defined]  # (pytest's ids want the listing)
    silent, talking = play(kind, attempt, Agent(0)), play(kind, attempt, Agent(50))
    assert silent.elapsed_ms <= 200_000
    assert talking.answered_by in {"human", "machine_end_beep", "machine_end_other", "unknown"}


@pytest.mark.parametrize("kind", [PersonaKind.INTERESTED, PersonaKind.PRICE, PersonaKind.SPEAKERPHONE])
def test_a_conversation_takes_its_turns_in_order_and_waits_for_the_agents(kind: PersonaKind) -> None:
    hello, *replies, still_there = cast(NUMBERS[kind], 0).lines
    assert play(kind, 0, Agent(50)).said == [hello, *replies]
    assert play(kind, 0, Agent(0)).said == [hello, still_there]
    assert play(kind, 0, Agent(1)).said == [hello, replies[0], still_there]


def test_a_mailbox_beeps_after_its_greeting_and_records() -> None:
    short, long = play(PersonaKind.VOICEMAIL, 0, Agent(0)), play(PersonaKind.VOICEMAIL, 0, Agent(50))
    assert short.answered_by == long.answered_by == "machine_end_beep"
    assert len(short.said) == 1
    assert long.elapsed_ms > short.elapsed_ms - 12_000 + 6_000


def test_a_menu_puts_through_who_presses_a_key_and_gives_up_on_who_does_not() -> None:
    menu, wrong, nobody, colleague, farewell = cast(NUMBERS[PersonaKind.IVR], 0).lines
    assert play(PersonaKind.IVR, 0, Agent(0)).said == [menu, menu, menu, nobody]
    assert play(PersonaKind.IVR, 0, Agent(1, key="1")).said == [menu, colleague, farewell]
    assert play(PersonaKind.IVR, 0, Agent(1, key="7")).said == [menu, wrong, menu, menu, nobody]


def test_a_screening_assistant_picks_up_or_sends_away_whoever_speaks() -> None:
    kinds = [play(PersonaKind.SCREENING, attempt, Agent(50)).said for attempt in range(3)]
    assert sorted(map(len, kinds)) == [2, 4, 5]
    assert {len(play(PersonaKind.SCREENING, attempt, Agent(0)).said) for attempt in range(3)} == {1}


def test_the_one_who_says_nothing_says_nothing() -> None:
    assert (play(PersonaKind.SILENCE, 0, Agent(3)).said, NUMBERS[PersonaKind.SILENCE]) == ([], "+15005550109")


def test_a_number_goes_through_its_wordings_and_two_runs_are_alike() -> None:
    number = NUMBERS[PersonaKind.BUSY]
    assert {cast(number, attempt).lines for attempt in range(3)} == set(WORDINGS[PersonaKind.BUSY])
    assert cast(number, 5) == cast(number, 2)
    assert len({cast(f"+1{area}5550102", 0).lines for area in range(200, 240)}) == 3


@pytest.mark.parametrize("kind", TALKERS)
def test_a_third_of_the_wordings_is_absent_from_the_demo_agents_script(kind: PersonaKind) -> None:
    examples = {plain(example) for intent in DEMO_AGENT.intents for example in intent.examples}

    def is_foreign(wording: tuple[str, ...]) -> bool:
        return any(not shares_words(line, examples) for line in wording[1:-1] or wording)

    foreign = [wording for wording in WORDINGS[kind] if is_foreign(wording)]
    assert len(WORDINGS[kind]) >= 3
    assert len(foreign) * 3 >= len(WORDINGS[kind])


def plain(text: str) -> str:
    return re.sub(r"[^a-z ]", "", text.lower()).strip()


def shares_words(line: str, examples: set[str]) -> bool:
    """Whether a line is, or has in it, something that the script knows (of two words at least)."""
    return any(example == plain(line) or (" " in example and example in plain(line)) for example in examples)


def test_who_wants_no_more_calls_presses_the_key_for_it_and_who_declines_the_other() -> None:
    for kind, key in ((PersonaKind.OPT_OUT_KEY, "9"), (PersonaKind.COLLEAGUE_WHO_DECLINES, "2")):
        person = play(kind, 0, Agent(1))
        assert (list(person.pressed), person.said) == ([key], list(cast(NUMBERS[kind], 0).lines))
