import numpy as np
import pytest

from calls.enums import AudioEncoding
from calls.sandbox.ears import Ears
from calls.sandbox.leg import FRAME_BYTES, SILENCE
from calls.wire.audio import encode
from calls.wire.tones import KEYS, hold_pcm, keys_pcm
from tests.calls.consumers.phone_driver import hum


def listen(ears: Ears, mulaw: bytes) -> None:
    for at in range(0, len(mulaw), FRAME_BYTES):
        ears.hear(mulaw[at : at + FRAME_BYTES].ljust(FRAME_BYTES, SILENCE[:1]))


def test_speech_and_the_quiet_after_it_are_counted() -> None:
    ears = Ears()
    listen(ears, SILENCE * 10 + hum(400) + SILENCE * 30)
    assert (ears.spoken_ms, ears.quiet_ms, ears.key) == (360, 600, "")
    ears.forget()
    listen(ears, SILENCE * 5)
    assert (ears.spoken_ms, ears.quiet_ms) == (0, 700)


def test_a_click_and_a_whisper_are_no_speech() -> None:
    ears = Ears()
    whisper = encode(np.full(1600, 60, "<i2").tobytes(), AudioEncoding.MULAW)
    listen(ears, SILENCE * 3 + hum(40) + SILENCE * 3 + whisper)
    assert ears.spoken_ms == 0


def test_who_speaks_while_one_begins_to_listen_counts_from_then_on() -> None:
    ears = Ears()
    listen(ears, hum(300))
    ears.forget()
    listen(ears, hum(300))
    assert ears.spoken_ms == 300


@pytest.mark.parametrize("key", sorted(KEYS))
def test_each_key_is_recognised_and_is_no_speech(key: str) -> None:
    ears = Ears()
    listen(ears, SILENCE * 5 + encode(keys_pcm(key, 8000), AudioEncoding.MULAW))
    assert (ears.key, ears.spoken_ms) == (key, 0)


def test_a_sign_of_waiting_is_no_speech_and_is_over_when_somebody_speaks() -> None:
    ears = Ears()
    listen(ears, hum(400) + encode(hold_pcm(8000), AudioEncoding.MULAW) * 2)
    assert (ears.is_on_hold, ears.was_held, ears.spoken_ms) == (True, True, 360)
    ears.forget()
    assert ears.was_held, "who is on hold stays so"
    listen(ears, hum(400))
    assert (ears.is_on_hold, ears.was_held) == (False, True)
    ears.forget()
    assert not ears.was_held


def test_a_sign_of_waiting_with_gaps_in_it_is_one_all_the_same() -> None:
    """A sender that is late leaves frames half empty."""
    ears = Ears()
    sign = encode(hold_pcm(8000), AudioEncoding.MULAW)
    for _ in range(5):
        for at in range(0, len(sign), 800):
            listen(ears, sign[at : at + 800] + SILENCE[:80])
    assert (ears.is_on_hold, ears.spoken_ms) == (True, 0)


def test_a_vowel_that_dies_away_is_none() -> None:
    ears = Ears()
    listen(ears, hum(400) + encode(hold_pcm(8000), AudioEncoding.MULAW)[: 160 * 4] + SILENCE * 10)
    assert not ears.was_held


def test_who_hears_no_sign_for_long_is_not_on_hold_any_more() -> None:
    ears = Ears()
    listen(ears, encode(hold_pcm(8000), AudioEncoding.MULAW) + SILENCE * 50)
    assert ears.is_on_hold
    listen(ears, SILENCE * 150)
    assert not ears.is_on_hold
