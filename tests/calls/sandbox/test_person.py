import numpy as np

from calls.enums import AudioEncoding
from calls.sandbox.leg import SILENCE
from calls.sandbox.person import Line, Person, tone
from calls.sandbox.steps import Beep, HangUp, Listen, Press, Ring, Say, Script, Verdict, Wait
from calls.wire.audio import decode, encode
from calls.wire.tones import hold_pcm
from tests.calls.consumers.phone_driver import hum

SPEECH = {"hello": b"\x01" * 320, "goodbye": b"\x02" * 480}
LOUD = hum(20)


def spoken(person: Person, heard: bytes, frames: int) -> list[bytes]:
    return [person.exchange(heard) for _ in range(frames)]


def level_db(frame: bytes) -> float:
    samples = np.frombuffer(decode(frame, AudioEncoding.MULAW), "<i2").astype(np.float64)
    return float(20 * np.log10(np.sqrt(np.mean(samples**2)) / 32_768 + 1e-9))


def test_a_script_is_played_step_by_step() -> None:
    results = []

    def script() -> Script:
        yield Wait(60)
        yield Say("hello")
        yield Verdict("human")
        results.append((yield Listen(quiet_ms=100)).has_spoken)
        yield Press("1")
        yield Say("goodbye", share=0.5)
        results.append((yield Listen(at_most_ms=200)).has_spoken)
        yield HangUp()

    person = Person(script(), SPEECH)
    assert spoken(person, SILENCE, 5) == [SILENCE] * 2 + [b"\x01" * 160] * 2 + [SILENCE]
    assert person.answered_by == "human"
    assert spoken(person, LOUD, 20) == [SILENCE] * 20
    assert not person.pressed
    assert spoken(person, SILENCE, 6)[4:] == [b"\x02" * 160, b"\x02" * 80 + SILENCE[:80]]
    assert list(person.pressed) == ["1"]
    spoken(person, SILENCE, 20)
    assert (person.is_gone, results, person.said) == (True, [True, False], ["hello", "goodbye"])


def test_a_scripts_end_is_a_hang_up() -> None:
    def script() -> Script:
        yield Beep(40, 1000)
        yield Ring(40)

    person = Person(script(), {})
    assert spoken(person, SILENCE, 4) == [
        *(tone(40, 1000)[at : at + 160] for at in (0, 160)),
        *(tone(40, 440, 480)[at : at + 160] for at in (0, 160)),
    ]
    assert not person.is_gone
    person.exchange(SILENCE)
    assert person.is_gone


def test_somebody_may_lose_patience_in_the_middle_of_what_is_said() -> None:
    def script() -> Script:
        yield Listen(most_speech_ms=400)

    person = Person(script(), {})
    spoken(person, LOUD, 21)
    assert not person.is_gone
    spoken(person, LOUD, 2)
    assert person.is_gone


def test_what_is_left_of_an_interrupted_sentence_is_no_answer() -> None:
    def script() -> Script:
        yield Listen(quiet_ms=400, at_most_ms=60_000)

    person = Person(script(), {})
    spoken(person, LOUD, 8)
    spoken(person, SILENCE, 100)
    assert not person.is_gone
    spoken(person, LOUD, 20)
    spoken(person, SILENCE, 20)
    assert person.is_gone


def silent() -> Script:
    yield Wait(1e9)


def test_a_speakerphone_gives_back_what_it_plays_quieter_and_later() -> None:
    person = Person(silent(), {}, Line(echo_db=-20, echo_ms=100))
    levels = [level_db(frame) for frame in spoken(person, LOUD, 8)]
    assert max(levels[:5]) < -80
    assert {round(level_db(LOUD) - level) for level in levels[5:]} == {20}


def test_a_noisy_place_is_as_noisy_as_it_says_and_the_same_each_time() -> None:
    heard = [spoken(Person(silent(), {}, Line(noise_dbfs=-36)), SILENCE, 350) for _ in range(2)]
    assert heard[0] == heard[1]
    assert round(level_db(b"".join(heard[0]))) == -36


def test_who_is_on_hold_waits_and_then_lets_whoever_comes_speak_first() -> None:
    def script() -> Script:
        yield Listen(quiet_ms=400, at_most_ms=5_000)
        yield Say("hello")

    person = Person(script(), SPEECH)
    sign = encode(hold_pcm(8000), AudioEncoding.MULAW)
    for at in range(0, 5 * len(sign), 160):
        person.exchange(sign[at % len(sign) :][:160])
    assert person.said == []
    spoken(person, LOUD, 20)
    spoken(person, SILENCE, 150)
    assert person.said == []
    spoken(person, SILENCE, 60)
    assert person.said == ["hello"]


def test_the_longest_silence_is_that_of_both_sides() -> None:
    def script() -> Script:
        yield Wait(400)
        yield Say("hello")
        yield Wait(1e9)

    person = Person(script(), SPEECH)
    spoken(person, SILENCE, 25)
    spoken(person, LOUD, 10)
    spoken(person, SILENCE, 15)
    assert person.longest_silence_ms == 380
