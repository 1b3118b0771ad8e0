"""What agrees before anything is done that a person must not suffer."""

import pytest

from calls.engine.answered import AnswerWatch, Judgement, Signal
from calls.enums import AnsweredBy

MAILBOX = "i can't come to the phone please leave a message after the tone"
WORDS, TIMING, BEEP, CARRIER = Signal


class Line:
    """Somebody who answered, in milliseconds of audio."""

    def __init__(self) -> None:
        self.watch = AnswerWatch()
        self.now = 0.0
        self.voiced_until = 0.0

    def speak(self, duration_ms: float, *pieces: str) -> None:
        for at in range(20, int(duration_ms) + 1, 20):
            self.voiced_until = self.now + at
            self.watch.hear(self.voiced_until, self.voiced_until, at)
        self.now = self.voiced_until
        if pieces:
            self.watch.read(pieces)
            self.watch.end_utterance()

    def rest(self, duration_ms: float) -> None:
        self.now += duration_ms
        self.watch.hear(self.now, self.voiced_until, 0)

    def beep(self, hz: float = 1000.0) -> None:
        self.watch.note_beep(hz, self.now)

    @property
    def judgement(self) -> Judgement:
        return self.watch.judge()


@pytest.fixture
def line() -> Line:
    return Line()


def test_nobody_is_a_machine_before_anything_was_heard(line: Line) -> None:
    assert line.judgement == Judgement()
    assert not line.judgement.is_suspicious


def test_words_alone_are_suspicious_and_never_firm(line: Line) -> None:
    line.speak(1500, MAILBOX)
    line.rest(30_000)
    found = line.judgement
    assert (found.kind, {*found.signals}, found.is_firm) == (AnsweredBy.VOICEMAIL, {WORDS}, False)


def test_a_long_greeting_agrees_with_its_words_once_it_is_over_for_long(line: Line) -> None:
    line.speak(3200, MAILBOX)
    line.rest(3400)
    assert not line.judgement.is_firm
    line.rest(200)
    assert ({*line.judgement.signals}, line.judgement.is_firm) == ({WORDS, TIMING}, True)


def test_a_pause_longer_than_a_breath_parts_two_speeches(line: Line) -> None:
    line.speak(2000)
    line.rest(1100)
    line.speak(2000, MAILBOX)
    assert {*line.judgement.signals} == {WORDS}


@pytest.mark.parametrize(("answered_by", "quiet_ms"), [("machine_end_silence", 2000), ("machine_end_beep", 1500)])
def test_the_carriers_verdict_agrees_with_the_words(line: Line, answered_by: str, quiet_ms: int) -> None:
    line.speak(1500, MAILBOX)
    line.watch.note_carrier(answered_by)
    line.rest(quiet_ms - 20)
    assert not line.judgement.is_firm
    line.rest(20)
    assert ({*line.judgement.signals}, line.judgement.is_firm) == ({WORDS, CARRIER}, True)


@pytest.mark.parametrize("answered_by", ["human", "unknown", "fax"])
def test_other_verdicts_of_the_carrier_agree_with_nothing(line: Line, answered_by: str) -> None:
    line.speak(1500, MAILBOX)
    line.watch.note_carrier(answered_by)
    line.rest(9000)
    assert {*line.judgement.signals} == {WORDS}


def test_the_beep_agrees_a_second_after_it(line: Line) -> None:
    line.speak(1500, MAILBOX)
    line.rest(600)
    line.beep()
    line.rest(980)
    assert not line.judgement.is_firm
    line.rest(20)
    assert ({*line.judgement.signals}, line.judgement.is_firm) == ({WORDS, BEEP}, True)


@pytest.mark.parametrize("hz", [300.0, 2000.0, 3100.0])
def test_kitchens_and_smoke_alarms_are_no_mailboxes(line: Line, hz: float) -> None:
    line.speak(1500, MAILBOX)
    line.rest(600)
    line.beep(hz)
    line.rest(2000)
    assert {*line.judgement.signals} == {WORDS}


def test_a_voice_after_the_beep_says_that_it_was_none(line: Line) -> None:
    line.speak(1500, MAILBOX)
    line.rest(600)
    line.beep()
    line.rest(500)
    line.speak(500)
    line.rest(3000)
    assert {*line.judgement.signals} == {WORDS}


def test_a_beep_without_words_needs_the_carriers_beep_or_a_very_long_speech(line: Line) -> None:
    long = Line()
    for each, duration_ms in ((line, 1500), (long, 5200)):
        each.speak(duration_ms)
        each.rest(600)
        each.beep()
        each.rest(1000)
    assert (line.judgement, {*long.judgement.signals}, long.judgement.is_firm) == (Judgement(), {BEEP, TIMING}, True)
    line.watch.note_carrier("machine_end_silence")
    assert line.judgement == Judgement()
    line.watch.note_carrier("machine_end_beep")
    assert ({*line.judgement.signals}, line.judgement.is_firm) == ({BEEP, CARRIER}, True)


def test_a_series_of_beeps_is_no_mailbox(line: Line) -> None:
    line.speak(5200)
    for _ in range(3):
        line.rest(500)
        line.beep()
    line.rest(1500)
    assert line.judgement == Judgement()


def test_what_a_person_says_last_counts_whatever_else_agrees(line: Line) -> None:
    line.speak(3500, MAILBOX)
    line.watch.note_carrier("machine_end_silence")
    line.rest(700)
    line.speak(800, "no i'm kidding who's this")
    line.rest(5000)
    assert (line.judgement.kind, line.judgement.is_firm) == (AnsweredBy.HUMAN, False)
    assert line.watch.is_of_a_person


def test_words_with_a_persons_among_them_are_believed_only_with_a_tone(line: Line) -> None:
    line.speak(4000, "he's not available please leave a message")
    line.watch.note_carrier("machine_end_silence")
    line.rest(9000)
    assert not line.judgement.is_firm
    line.watch.note_carrier("machine_end_beep")
    assert line.judgement.is_firm


def test_a_watch_anew_keeps_the_time_and_nothing_else(line: Line) -> None:
    line.speak(4000, MAILBOX)
    line.rest(100)
    anew = line.watch.anew()
    assert (anew.judge(), anew.quiet_ms, anew.has_spoken, anew.has_words) == (Judgement(), 100.0, False, False)


def test_carrier_and_a_long_speech_need_only_one_likely_word_to_hear_an_assistant(line: Line) -> None:
    line.speak(3200, "mumble your name mumble")
    line.rest(2100)
    assert line.judgement == Judgement()
    line.watch.note_carrier("machine_end_other")
    found = line.judgement
    assert (found.kind, {*found.signals}, found.is_firm) == (AnsweredBy.SCREENING, {WORDS, TIMING, CARRIER}, True)
    line.beep()
    assert line.judgement.kind is not AnsweredBy.SCREENING, "a mailbox beeps"


def test_a_menu_has_to_be_longer_for_that_and_a_mailbox_is_never_believed_so(line: Line) -> None:
    line.watch.note_carrier("machine_end_other")
    line.speak(3200, "mumble welcome to mumble")
    line.rest(2100)
    assert line.judgement.kind is AnsweredBy.HUMAN
    line.speak(3200, "mumble")
    line.rest(2100)
    assert (line.judgement.kind, line.judgement.is_firm) == (AnsweredBy.IVR, True)
    other = Line()
    other.watch.note_carrier("machine_end_silence")
    other.speak(9000, "mumble you have reached mumble")
    other.rest(4000)
    assert other.judgement.kind is AnsweredBy.HUMAN


def test_who_asks_like_a_secretary_is_an_assistant_only_where_carrier_and_timing_say_machine(line: Line) -> None:
    line.speak(3200, "who is this please say your name and what is it about")
    line.rest(1000)
    assert (line.judgement.kind, line.judgement.is_firm) == (AnsweredBy.SCREENING, False)
    line.watch.note_carrier("human")
    assert not line.judgement.is_firm
    line.watch.note_carrier("machine_end_other")
    assert line.judgement.is_firm
