"""Twilio Media Streams on the wire: texts in, events out, and back."""

import base64
import json
import random
from typing import Any

import pytest

from calls.errors import WireError
from calls.wire.twilio import (
    MAX_MESSAGE_CHARACTERS,
    Connected,
    Dtmf,
    DtmfFields,
    Mark,
    MarkFields,
    Media,
    MediaFields,
    MediaFormat,
    MediaStream,
    Start,
    StartFields,
    Stop,
    StopFields,
    parse,
)

SID = "MZ00000000000000000000000000000001"
AUDIO = bytes(range(160))
CONNECTED = {"event": "connected", "protocol": "Call", "version": "1.0.0"}
START: dict[str, Any] = {
    "event": "start",
    "sequenceNumber": "1",
    "start": {
        "accountSid": "AC01",
        "streamSid": SID,
        "callSid": "CA01",
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {"token": "secret", "name": "Zoë"},
    },
    "streamSid": SID,
}
MEDIA: dict[str, Any] = {
    "event": "media",
    "sequenceNumber": "3",
    "media": {"track": "inbound", "chunk": "1", "timestamp": "5", "payload": base64.b64encode(AUDIO).decode()},
    "streamSid": SID,
}
DTMF = {"event": "dtmf", "streamSid": SID, "sequenceNumber": "5", "dtmf": {"track": "inbound_track", "digit": "#"}}
MARK = {"event": "mark", "sequenceNumber": "4", "streamSid": SID, "mark": {"name": "12"}}
STOP = {
    "event": "stop",
    "sequenceNumber": "9",
    "streamSid": SID,
    "stop": {"accountSid": "AC01", "callSid": "CA01"},
}
MESSAGES = (CONNECTED, START, MEDIA, DTMF, MARK, STOP)


def changed(message: dict[str, Any], path: str, value: Any) -> str:
    """The message with one field replaced, or removed where the value is ``...``."""
    copy = json.loads(json.dumps(message))
    *parents, last = path.split(".")
    place = copy
    for name in parents:
        place = place[name]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return json.dumps(copy)


def started() -> MediaStream:
    stream = MediaStream()
    stream.read(json.dumps(CONNECTED))
    stream.read(json.dumps(START))
    return stream


# --- in ---------------------------------------------------------------------------------------------------------------


def test_every_message_of_the_documentation_is_read_whole() -> None:
    started_fields = StartFields(
        account_sid="AC01",
        stream_sid=SID,
        call_sid="CA01",
        media_format=MediaFormat("audio/x-mulaw", 8000, 1),
        tracks=("inbound",),
        custom_parameters={"token": "secret", "name": "Zoë"},
    )
    assert [parse(json.dumps(message)) for message in MESSAGES] == [
        Connected("Call", "1.0.0"),
        Start(started_fields, SID, 1),
        Media(MediaFields(AUDIO, "inbound", 1, 5), SID, 3),
        Dtmf(DtmfFields("#"), SID, 5),
        Mark(MarkFields("12"), SID, 4),
        Stop(SID, StopFields("AC01", "CA01"), 9),
    ]


def test_fields_that_twilio_may_add_one_day_are_no_error() -> None:
    assert parse(json.dumps(MARK | {"new": {"a": [1, 2.5, None]}})) == parse(json.dumps(MARK))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "Input data was truncated"),
        ("[]", "Expected `object`, got `array`"),
        ("{}", "Object missing required field `event`"),
        ('{"event": "hello"}', "Invalid value 'hello' - at `$.event`"),
        ('{"event": 5}', "Expected `str` - at `$.event`"),
        (changed(MEDIA, "streamSid", ...), "Object missing required field `streamSid`"),
        (changed(MEDIA, "media.payload", ...), "Object missing required field `payload` - at `$.media`"),
        (changed(MEDIA, "media.payload", ""), "Expected `bytes` of length >= 1 - at `$.media.payload`"),
        (changed(MEDIA, "media.payload", "AAA"), "Invalid base64 encoded string - at `$.media.payload`"),
        (changed(MEDIA, "media.payload", "AA=A"), "Invalid base64 encoded string - at `$.media.payload`"),
        (changed(MEDIA, "media.payload", "_-__"), "Invalid base64 encoded string - at `$.media.payload`"),
        (changed(MEDIA, "media.payload", "data:audio/x-mulaw;base64,AAAA"), "Invalid base64 encoded string"),
        (changed(MEDIA, "media.payload", [0, 1]), "Expected `bytes`, got `array` - at `$.media.payload`"),
        (changed(MEDIA, "media.track", "outbound"), "Invalid enum value 'outbound' - at `$.media.track`"),
        (changed(MEDIA, "media.timestamp", "soon"), "Expected `int`, got `str` - at `$.media.timestamp`"),
        (changed(MEDIA, "media.chunk", "-1"), "Expected `int` >= 0 - at `$.media.chunk`"),
        (changed(MEDIA, "media", "AAAA"), "Expected `object`, got `str` - at `$.media`"),
        (changed(START, "start.callSid", ""), "Expected `str` of length >= 1 - at `$.start.callSid`"),
        (changed(START, "start.mediaFormat.encoding", "audio/pcm"), "at `$.start.mediaFormat.encoding`"),
        (changed(START, "start.mediaFormat.sampleRate", 16000), "at `$.start.mediaFormat.sampleRate`"),
        (changed(START, "start.mediaFormat.channels", 2), "at `$.start.mediaFormat.channels`"),
        (changed(START, "start.customParameters", {"token": 5}), "at `$.start.customParameters[...]`"),
        (changed(DTMF, "dtmf.digit", "12"), "at `$.dtmf.digit`"),
        (changed(DTMF, "dtmf.digit", "x"), "at `$.dtmf.digit`"),
        (changed(MARK, "mark", None), "Expected `object`, got `null` - at `$.mark`"),
        ('{"event": "connected", "x": ' + "[" * 9000 + "]" * 9000 + "}", "the message is nested too deeply"),
        ('{"event": "connected", "protocol": "\ud800"}', "the message is no Unicode text"),
    ],
)
def test_a_message_that_breaks_the_protocol_is_refused_by_the_name_of_its_field(text: str, expected: str) -> None:
    with pytest.raises(WireError) as caught:
        parse(text)
    assert expected in str(caught.value)


def test_a_message_of_a_megabyte_is_refused_unread() -> None:
    payload = base64.b64encode(bytes(2**20)).decode()
    text = changed(MEDIA, "media.payload", payload)
    with pytest.raises(WireError) as caught:
        parse(text)
    assert str(caught.value) == f"a message of {len(text)} characters; expected at most {MAX_MESSAGE_CHARACTERS}"


def test_the_error_says_nothing_of_what_the_caller_said_or_typed() -> None:
    with pytest.raises(WireError) as caught:
        parse(changed(DTMF, "dtmf.digit", "4111111111111111"))
    assert "4111" not in str(caught.value)


@pytest.mark.parametrize("seed", range(20))
def test_any_text_gives_an_event_or_a_wire_error(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 (not for secrets)
    texts = [json.dumps(message) for message in MESSAGES]
    kinds = (Connected, Start, Media, Dtmf, Mark, Stop)
    outcomes = set()
    for _ in range(500):
        text = list(rng.choice(texts))
        for _ in range(rng.choice((1, 1, 2, 8))):
            at = rng.randrange(len(text))
            piece = rng.choice(('"', "{", "}", "[", "]", ",", ":", "0", "-", "\\", "null", "\x00", "é", "\ud800", ""))
            text[at : at + rng.randrange(3)] = [piece]
        stream = started() if rng.random() < 0.5 else MediaStream()
        try:
            event = stream.read("".join(text))
        except WireError:
            outcomes.add("refused")
        else:
            outcomes.add("read")
            assert isinstance(event, kinds)
    assert outcomes == {"refused", "read"}


# --- a stream ---------------------------------------------------------------------------------------------------------


def test_a_stream_is_connected_started_and_stopped() -> None:
    stream = MediaStream()
    assert [type(stream.read(json.dumps(message))) for message in MESSAGES] == [
        Connected,
        Start,
        Media,
        Dtmf,
        Mark,
        Stop,
    ]
    assert (stream.start is not None, stream.is_over) == (True, True)


@pytest.mark.parametrize("message", [MEDIA, DTMF, MARK, STOP])
def test_nothing_is_taken_before_the_start(message: dict[str, Any]) -> None:
    with pytest.raises(WireError) as caught:
        MediaStream().read(json.dumps(message))
    assert str(caught.value) == f"'{message['event']}' before 'start'"


def test_nothing_is_taken_after_the_stop() -> None:
    stream = started()
    stream.read(json.dumps(STOP))
    with pytest.raises(WireError, match="'media' after 'stop'"):
        stream.read(json.dumps(MEDIA))


def test_a_stream_starts_once() -> None:
    with pytest.raises(WireError, match="a second 'start'"):
        started().read(json.dumps(START))


def test_messages_of_another_stream_are_refused() -> None:
    with pytest.raises(WireError, match="streamSid is that of another stream"):
        started().read(changed(MEDIA, "streamSid", "MZ02"))
    with pytest.raises(WireError, match=r"streamSid differs .* `\$\.start\.streamSid`"):
        MediaStream().read(changed(START, "streamSid", "MZ02"))


def test_a_stream_that_does_not_bring_the_callers_voice_is_refused() -> None:
    with pytest.raises(WireError, match=r"expected 'inbound' - at `\$\.start\.tracks`"):
        MediaStream().read(changed(START, "start.tracks", ["outbound"]))


# --- out --------------------------------------------------------------------------------------------------------------


def test_what_is_sent_has_twilios_fields_and_no_others() -> None:
    stream = started()
    assert [json.loads(frame) for frame in (stream.media(AUDIO), stream.mark("7"), stream.clear())] == [
        {"event": "media", "streamSid": SID, "media": {"payload": base64.b64encode(AUDIO).decode()}},
        {"event": "mark", "streamSid": SID, "mark": {"name": "7"}},
        {"event": "clear", "streamSid": SID},
    ]


def test_nothing_can_be_sent_on_a_stream_that_has_not_started() -> None:
    with pytest.raises(RuntimeError, match="the stream has not started"):
        MediaStream().clear()
