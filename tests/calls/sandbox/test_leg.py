import base64
import json
from typing import Any

import pytest

from calls.errors import WireError
from calls.sandbox.leg import FRAME_BYTES, SILENCE, Leg


def said(leg: Leg) -> list[Any]:
    texts = []
    while not leg.outgoing.empty():
        text = leg.outgoing.get_nowait()
        texts.append(None if text is None else json.loads(text))
    return texts


def message(event: str, **fields: Any) -> str:
    return json.dumps({"event": event, "streamSid": "MZ1", **fields})


def media(audio: bytes) -> str:
    return message("media", media={"payload": base64.b64encode(audio).decode()})


async def test_a_stream_begins_with_who_it_is_and_ends_with_a_stop() -> None:
    leg = Leg({"token": "t"}, stream_sid="MZ1", call_sid="CA1", account_sid="AC1")
    leg.open()
    leg.press("5")
    leg.stop()
    leg.step()
    connected, start, key, stop, end = said(leg)
    assert (connected, end) == ({"event": "connected", "protocol": "Call", "version": "1.0.0"}, None)
    assert start["start"] == {
        "accountSid": "AC1",
        "streamSid": "MZ1",
        "callSid": "CA1",
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {"token": "t"},
    }
    assert key["dtmf"] == {"track": "inbound_track", "digit": "5"}
    assert (stop["event"], stop["sequenceNumber"]) == ("stop", "3")


async def test_a_step_plays_twenty_milliseconds_and_sends_twenty() -> None:
    heard: list[bytes] = []

    def handset(frame: bytes) -> bytes:
        heard.append(frame)
        return b"\x10" * FRAME_BYTES

    leg = Leg(handset=handset, stream_sid="MZ1")
    leg.take(media(b"a" * 100))
    leg.take(message("mark", mark={"name": "1"}))
    leg.take(media(b"b" * 100))
    leg.take(message("mark", mark={"name": "2"}))
    assert leg.queued_ms == 25
    for _ in range(3):
        leg.step()
    assert heard == [b"a" * 100 + b"b" * 60, b"b" * 40 + SILENCE[:120], SILENCE]
    sent = said(leg)
    assert [text.get("mark", {}).get("name") or text["media"]["chunk"] for text in sent] == ["1", "1", "2", "2", "3"]
    assert [text["media"]["timestamp"] for text in sent if "media" in text] == ["0", "20", "40"]
    assert base64.b64decode(sent[1]["media"]["payload"]) == b"\x10" * FRAME_BYTES


async def test_what_is_cleared_is_not_heard_and_its_marks_come_back_all_the_same() -> None:
    heard: list[bytes] = []

    def handset(frame: bytes) -> bytes:
        heard.append(frame)
        return SILENCE

    leg = Leg(handset=handset, stream_sid="MZ1")
    leg.take(media(b"a" * 1600))
    leg.take(message("mark", mark={"name": "1"}))
    leg.take(message("clear"))
    leg.step()
    assert heard == [SILENCE]
    assert [text["event"] for text in said(leg)] == ["mark", "media"]


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "{}", message("dance"), message("media"), message("mark"), '{"event": "clear", "streamSid": "MZ2"}'],
)
async def test_what_twilio_would_not_understand_is_an_error(text: str) -> None:
    with pytest.raises(WireError):
        Leg(stream_sid="MZ1").take(text)


async def test_a_server_that_does_not_read_loses_the_stream() -> None:
    leg = Leg()
    for _ in range(1100):
        leg.step()
    assert not leg.is_open
    assert leg.outgoing.qsize() <= 1002
