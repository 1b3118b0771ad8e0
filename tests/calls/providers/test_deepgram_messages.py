import msgspec
import pytest

from calls.providers.deepgram.messages import Failure, Message, Results, TurnInfo, read

FLUX = """{"type": "TurnInfo", "request_id": "r", "sequence_id": 11, "event": "Update", "turn_index": 0,
"audio_window_start": 0, "audio_window_end": 1.5, "transcript": "Hello there.", "end_of_turn_confidence": 0.2,
"words": [{"word": "Hello", "confidence": 0.9, "end": 0.4}, {"word": "there.", "confidence": 0.7}]}"""
NOVA = """{"type": "Results", "channel_index": [0, 1], "duration": 1, "start": 0.5, "is_final": true,
"speech_final": null, "from_finalize": false, "channel": {"alternatives": [{"transcript": "hi", "confidence": 0.9,
"words": []}]}, "metadata": {}}"""


def test_a_turn_of_flux_is_read() -> None:
    turn = read(FLUX)
    assert isinstance(turn, TurnInfo)
    assert (turn.event, turn.transcript, turn.audio_window_end) == ("Update", "Hello there.", 1.5)
    assert [(word.word, word.confidence, word.end) for word in turn.words] == [
        ("Hello", 0.9, 0.4),
        ("there.", 0.7, None),
    ]


def test_a_result_of_nova_is_read() -> None:
    results = read(NOVA)
    assert isinstance(results, Results)
    assert (results.start, results.duration, results.is_final, results.speech_final) == (0.5, 1.0, True, None)
    assert results.channel.alternatives[0].transcript == "hi"


def test_an_error_names_itself_either_way() -> None:
    flux, nova = read('{"type": "Error", "code": "INTERNAL"}'), read('{"type": "Error", "variant": "DATA-0000"}')
    assert isinstance(flux, Failure)
    assert isinstance(nova, Failure)
    assert (flux.code, nova.variant) == ("INTERNAL", "DATA-0000")


def test_what_is_not_known_has_its_type_at_most() -> None:
    assert read('{"type": "Sneeze", "loud": true}') == Message("Sneeze")
    assert read("{}") == Message("")


NO_WORDS = NOVA.replace('{"transcript": "hi", "confidence": 0.9,\n"words": []}', "")


@pytest.mark.parametrize("text", ['{"type": "TurnInfo"}', '{"type": 3}', "[]", NO_WORDS])
def test_another_shape_is_an_error(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        read(text)


def test_no_json_is_another_error() -> None:
    with pytest.raises(msgspec.DecodeError) as caught:
        read("not json")
    assert not isinstance(caught.value, msgspec.ValidationError)
