import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.engine.events import Word
from calls.engine.playout import PlaybackClock, SpokenSentence, heard_characters, round_down_to_word


def spoken(text: str, sent_ms: float, *words: Word, is_sent: bool = True) -> SpokenSentence:
    sentence = SpokenSentence(text)
    sentence.sent_ms, sentence.is_sent, sentence.words = sent_ms, is_sent, list(words)
    return sentence


def heard(sentences: list[SpokenSentence], played_ms: float) -> list[str]:
    counts = heard_characters(sentences, played_ms)
    return [sentence.text[:count] for sentence, count in zip(sentences, counts, strict=True)]


def test_nothing_was_played_before_anything_was_sent() -> None:
    clock = PlaybackClock()
    assert (clock.played_ms(5.0), clock.remaining_ms(5.0), clock.ends_at) == (0.0, 0.0, None)


def test_audio_plays_from_the_moment_it_was_sent() -> None:
    clock = PlaybackClock()
    clock.add(1000, 10.0)
    assert clock.played_ms(10.25) == pytest.approx(250)
    assert clock.remaining_ms(10.25) == pytest.approx(750)
    assert clock.ends_at == 11.0


def test_chunks_sent_ahead_play_one_behind_the_other() -> None:
    clock = PlaybackClock()
    clock.add(300, 10.0)
    clock.add(300, 10.0)
    assert clock.played_ms(10.5) == pytest.approx(500)
    assert clock.remaining_ms(10.5) == pytest.approx(100)


def test_an_underrun_pauses_the_playing() -> None:
    clock = PlaybackClock()
    clock.add(100, 10.0)
    assert clock.played_ms(10.9) == pytest.approx(100)
    clock.add(100, 11.0)
    assert clock.played_ms(11.05) == pytest.approx(150)
    assert clock.remaining_ms(12.0) == 0.0


def test_the_far_end_corrects_the_clock() -> None:
    clock = PlaybackClock()
    clock.add(1000, 10.0)
    clock.correct(200, 10.5)
    assert clock.played_ms(10.5) == pytest.approx(200)
    assert clock.ends_at == pytest.approx(11.3)
    clock.correct(5000, 10.6)
    assert (clock.played_ms(10.6), clock.remaining_ms(10.6)) == (1000.0, 0.0)


def test_a_correction_before_any_audio_changes_nothing() -> None:
    clock = PlaybackClock()
    clock.correct(100, 1.0)
    assert clock.ends_at is None


def test_a_reset_clock_is_a_new_one() -> None:
    clock = PlaybackClock()
    clock.add(1000, 10.0)
    clock.reset()
    assert (clock.total_ms, clock.remaining_ms(10.1)) == (0.0, 0.0)


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 2000)), max_size=20), st.floats(0, 200))
def test_played_and_remaining_make_up_what_was_sent(chunks: list[tuple[float, float]], later: float) -> None:
    clock = PlaybackClock()
    now = 0.0
    for pause, duration in chunks:
        now += pause
        clock.add(duration, now)
        assert 0.0 <= clock.played_ms(now) <= clock.total_ms + 1e-6
    assert clock.played_ms(now + later) + clock.remaining_ms(now + later) == pytest.approx(clock.total_ms)


def test_whole_sentences_are_heard_whole() -> None:
    assert heard([spoken("One two.", 500), spoken("Three four.", 700)], 1200) == ["One two.", "Three four."]


def test_a_sentence_is_cut_by_the_share_of_its_audio_at_a_word() -> None:
    assert heard([spoken("One two three four.", 1900)], 1000) == ["One two"]


def test_of_a_sentence_that_has_just_begun_nothing_was_heard() -> None:
    assert heard([spoken("Wonderful day.", 1400)], 400) == [""]


def test_later_sentences_were_not_heard() -> None:
    assert heard([spoken("One two.", 800), spoken("Three.", 600)], 500) == ["One", ""]


def test_word_times_decide_where_they_are_given() -> None:
    words = (Word("One", 0, 900), Word("two", 900, 1000), Word("three", 1000, 1900))
    assert heard([spoken("One, two, three.", 2000, *words)], 950) == ["One,"]
    assert heard([spoken("One, two, three.", 2000, *words)], 1000) == ["One, two,"]


def test_a_word_spelt_otherwise_stands_for_the_next_one() -> None:
    words = (Word("It", 0, 100), Word("costs", 100, 300), Word("five", 300, 500), Word("dollars", 500, 900))
    assert heard([spoken("It costs 5 dollars.", 1000, *words)], 500) == ["It costs 5"]
    assert heard([spoken("It costs 5 dollars.", 1000, *words)], 950) == ["It costs 5 dollars."]


def test_word_times_work_without_spaces_too() -> None:
    words = (Word("你好", 0, 400), Word("世界", 400, 900))
    assert heard([spoken("你好世界。", 1000, *words)], 450) == ["你好"]


def test_a_script_without_spaces_is_cut_behind_any_character() -> None:
    assert heard([spoken("今天天气很好我们去", 900)], 450) == ["今天天气"]


def test_a_sentence_still_being_sent_is_judged_by_the_pace_of_those_before() -> None:
    sentences = [spoken("Ten chars.", 1000), spoken("abcd efgh ijkl mnop", 500, is_sent=False)]
    assert heard(sentences, 1500) == ["Ten chars.", "abcd"]


def test_a_first_sentence_still_being_sent_is_judged_by_an_ordinary_pace() -> None:
    assert heard([spoken("abcd efgh ijkl mnop", 650, is_sent=False)], 650) == ["abcd efgh"]


@pytest.mark.parametrize(
    ("text", "characters", "end"),
    [("one two", 7, 7), ("one two", 6, 3), ("one two", 3, 3), ("one two", 2, 0), ("one", -1, 0), ("", 0, 0)],
)
def test_rounding_goes_down_to_a_words_end(text: str, characters: int, end: int) -> None:
    assert round_down_to_word(text, characters) == end


@given(st.text(max_size=60), st.floats(0, 5000), st.floats(0, 5000), st.booleans())
def test_more_playing_never_means_less_heard(text: str, first: float, more: float, is_sent: bool) -> None:
    sentence = spoken(text, 3000, is_sent=is_sent)
    before, after = heard_characters([sentence], first)[0], heard_characters([sentence], first + more)[0]
    assert 0 <= before <= after <= len(text)
