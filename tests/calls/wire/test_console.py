import random
from collections import Counter
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls.enums import ErrorCode
from calls.errors import WireError
from calls.wire.console import (
    Chunk,
    ClientFrame,
    Disconnect,
    End,
    EndCall,
    Family,
    FrameError,
    Heartbeat,
    Interrupt,
    Mute,
    Played,
    Request,
    ServerEvents,
    Start,
    Text,
    Unmute,
    family_of,
    parse,
)

UNDEFINED = msgpack.ExtType(0, b"\0")
NOW = 1_767_225_600_123.0
ACK_IN_MAP16 = (
    "de0004a96576656e7454797065ae636f6e6e656374696f6e2e61636ba76576656e744964a145a973657373696f6e4964a153"
    "a77061796c6f6164de0001a773756363657373c3"
)


def frame(event_type: Any = "user.text", payload: Any = None, **envelope: Any) -> bytes:
    fields = {"eventType": event_type, "eventId": "e1", "sessionId": "s1", "payload": payload or {}}
    return bytes(msgpack.packb(fields | envelope))


def refused(binary: bytes) -> FrameError:
    with pytest.raises(FrameError) as caught:
        parse(binary)
    return caught.value


def map16(fields: dict[str, bytes]) -> bytes:
    """A map as msgpackr packs it: always map16; the values come packed."""
    return b"\xde" + len(fields).to_bytes(2) + b"".join(msgpack.packb(key) + value for key, value in fields.items())


# --- from the client --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event_type", "payload", "event"),
    [
        ("audio.input.start", {}, Start()),
        ("voicechat.audio.start", {"samplingRate": 8000}, Start(sampling_rate=8000)),
        ("audio.input.chunk", {"audio": b"\1\2"}, Chunk(audio=b"\1\2")),
        ("voicechat.audio.chunk", {"audio": b"", "isMuted": True}, Chunk(audio=b"", is_muted=True)),
        ("audio.input.end", {"reason": "done"}, End("done")),
        ("audio.input.stop", {}, End()),
        ("voicechat.audio.end", {}, End()),
        ("user.action.interrupt", {}, Interrupt()),
        ("user.action.end_call", {"reason": "bye"}, EndCall("bye")),
        ("user.action.mute", {}, Mute()),
        ("user.action.unmute", {}, Unmute()),
        ("user.text", {"text": "hello"}, Text("hello")),
        ("audio.output.played", {"utteranceId": "u", "playedMs": 20.5}, Played(utterance_id="u", played_ms=20.5)),
        ("connection.lifecycle.heartbeat", {"timestamp": NOW}, Heartbeat(NOW)),
        ("connection.lifecycle.disconnect", {"reason": "tab closed"}, Disconnect("tab closed")),
    ],
)
def test_every_client_event_is_read(event_type: str, payload: dict[str, Any], event: object) -> None:
    assert parse(frame(event_type, payload)) == ClientFrame(Request(event_type, "e1", "s1"), event)  # type: ignore[arg-type]


def test_a_start_reads_all_of_its_fields() -> None:
    start = parse(
        frame(
            "audio.input.start",
            {
                "samplingRate": 48_000,
                "outputSampleRate": 24_000.0,
                "agentId": "a",
                "language": "de-DE",
                "voiceId": "v",
                "campaignId": "c",
                "variables": {"name": "Ann", "age": 40, "vip": True, "rate": 1.5, "gone": None},
                "unknown": {"key": [1]},
            },
        )
    ).event
    assert isinstance(start, Start)
    assert (start.input_rate, start.output_rate) == (48_000, 24_000)
    assert (start.agent_id, start.language, start.voice_id, start.campaign_id) == ("a", "de-DE", "v", "c")
    assert start.texts == {"name": "Ann", "age": "40", "vip": "true", "rate": "1.5"}


def test_a_start_without_fields_means_16_khz_both_ways() -> None:
    assert (Start().input_rate, Start().output_rate, Start().texts) == (16_000, 16_000, {})
    assert Start(sampling_rate=8000.0).output_rate == 8000


def test_the_names_of_only_one_family_fix_it() -> None:
    names = ["audio.input.start", "audio.input.stop", "voicechat.audio.chunk", "user.text", "nonsense"]
    assert [family_of(name) for name in names] == [Family.CANONICAL, Family.CANONICAL, Family.VOICECHAT, None, None]


def test_undefined_of_javascript_counts_as_absent() -> None:
    payload = {"agentId": UNDEFINED, "variables": {"name": UNDEFINED}}
    assert parse(frame("audio.input.start", payload)).event == Start(variables={"name": None})
    assert parse(frame("user.text", {"text": "x"}, sessionId=UNDEFINED)).request == Request("user.text", "e1", "")


def test_a_frame_needs_neither_a_session_nor_a_payload() -> None:
    assert parse(msgpack.packb({"eventType": "audio.input.end", "eventId": "e"})) == ClientFrame(
        Request("audio.input.end", "e", ""), End()
    )


@pytest.mark.parametrize(
    ("binary", "message", "request_"),
    [
        (b"", "not MessagePack: Input data was truncated", Request()),
        (b"\xc1", "not MessagePack: MessagePack data is malformed: invalid opcode '\\xc1' (byte 0)", Request()),
        (msgpack.packb([1]), "Expected a map, got `array`", Request()),
        (b"\x91" * 100_000, "Expected a map, got `array`", Request()),
        (b"\x81\xa9eventType\xa1\xff", "expected text in UTF-8", Request()),
        (frame() + b"\0", "not MessagePack: MessagePack data is malformed: trailing characters (byte ", Request()),
        (frame(7), "eventType: expected `str`, got `int`", Request("", "e1", "s1")),
        (frame(eventId=7), "eventId: expected `str`, got `int`", Request("user.text", "", "s1")),
        (frame(sessionId=b"s"), "sessionId: expected `str`", Request("user.text", "e1", "")),
        (msgpack.packb({"eventType": "x"}), "Object missing required field `eventId`", Request("x")),
        (frame(payload=[1]), "payload: expected a map, got `array`", Request("user.text", "e1", "s1")),
        (
            frame("user.shout"),
            "eventType: 'user.shout' is not an event of this protocol",
            Request("user.shout", "e1", "s1"),
        ),
    ],
)
def test_a_frame_that_is_no_event_says_why(binary: bytes, message: str, request_: Request) -> None:
    error = refused(binary)
    assert str(error).startswith(message)
    assert (error.request, error.code) == (request_, ErrorCode.INVALID_PAYLOAD)
    assert isinstance(error, WireError)


@pytest.mark.parametrize(
    ("event_type", "payload", "message"),
    [
        ("user.text", {}, "payload: object missing required field `text`"),
        ("user.text", {"text": 5}, "payload.text: expected `str`, got `int`"),
        ("user.text", {"text": UNDEFINED}, "payload.text: expected `str`, got `null`"),
        ("audio.input.chunk", {"audio": "AAAA"}, "payload.audio: expected `bytes`, got `str`"),
        ("audio.input.chunk", {"audio": b"", "isMuted": 1}, "payload.isMuted: expected `bool | null`, got `int`"),
        ("audio.input.start", {"samplingRate": 7999}, "payload.samplingRate: expected `float` >= 8000.0"),
        ("audio.input.start", {"samplingRate": 48_001}, "payload.samplingRate: expected `float` <= 48000.0"),
        ("audio.input.start", {"outputSampleRate": 1}, "payload.outputSampleRate: expected `float` >= 8000.0"),
        ("audio.input.start", {"samplingRate": 16_000.5}, "payload.samplingRate: expected a whole number"),
        ("audio.input.start", {"samplingRate": float("nan")}, "payload.samplingRate: expected `float` >= 8000.0"),
        ("audio.input.start", {"samplingRate": True}, "payload.samplingRate: expected `float | null`, got `bool`"),
        ("audio.input.start", {"agentId": 5}, "payload.agentId: expected `str | null`, got `int`"),
        (
            "audio.input.start",
            {"language": "German"},
            "payload.language: expected `str` matching regex '^[a-z]{2,3}-[A-Z]{2}$'",
        ),
        (
            "audio.output.played",
            {"utteranceId": "u", "playedMs": -1},
            "payload.playedMs: expected `float` >= 0.0",
        ),
        (
            "audio.output.played",
            {"utteranceId": "u", "playedMs": float("inf")},
            "payload.playedMs: expected `float` <= 86400000.0",
        ),
    ],
)
def test_a_wrong_field_is_named_with_what_was_expected(event_type: str, payload: dict[str, Any], message: str) -> None:
    error = refused(frame(event_type, payload))
    assert (str(error), error.request.event_type, error.code) == (message, event_type, ErrorCode.INVALID_PAYLOAD)


def test_an_odd_number_of_audio_bytes_is_an_audio_error() -> None:
    error = refused(frame("voicechat.audio.chunk", {"audio": b"123"}))
    assert (str(error), error.code) == (
        "payload.audio: expected PCM16, an even number of bytes, got 3",
        ErrorCode.AUDIO,
    )


def test_nesting_without_end_is_refused() -> None:
    deep = b"\x91" * 200_000 + b"\xc0"
    binary = b"\x81\xa1x" + deep
    assert str(refused(binary)) == "nested too deeply"


def outcome(binary: bytes) -> str:
    try:
        return type(parse(binary)).__name__
    except WireError as error:
        return "WireError" if str(error) else "an error that says nothing"


def test_ten_thousand_random_frames_give_an_event_or_a_wire_error() -> None:
    dice = random.Random(7)  # noqa: S311 (the same frames every time)
    start = frame("audio.input.start", {"samplingRate": 8000, "variables": {"a": 1, "b": "c"}, "agentId": "x"})
    good = [start, frame("user.text", {"text": "hello"}), frame("voicechat.audio.chunk", {"audio": bytes(40)})]

    def spoil(binary: bytes) -> bytes:
        changed = bytearray(binary)
        for _ in range(dice.randint(1, 3)):
            changed[dice.randrange(len(changed))] = dice.randrange(256)
        return bytes(changed[: dice.randint(1, 2 * len(changed))])

    seen = Counter(outcome(dice.randbytes(dice.randrange(200))) for _ in range(5000))
    seen += Counter(outcome(spoil(dice.choice(good))) for _ in range(5000))
    assert sum(seen.values()) == 10_000
    assert set(seen) == {"ClientFrame", "WireError"}
    assert min(seen.values()) > 500


def spoilt_frames() -> st.SearchStrategy[bytes]:
    """Frames that are right, cut, or with a few bytes changed, and maps of the right shape with anything in them."""
    anything = st.recursive(
        st.one_of(
            st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(), st.text(max_size=5), st.binary()
        ),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=6,
    )
    types = st.sampled_from(["audio.input.start", "voicechat.audio.chunk", "user.text", "audio.output.played", "x"])
    fields = st.sampled_from(["audio", "text", "samplingRate", "variables", "playedMs", "utteranceId", "isMuted"])
    shaped = st.builds(
        frame, types, st.dictionaries(fields, anything, max_size=4), sessionId=st.text(max_size=3) | anything
    )
    spoilt = st.builds(
        lambda good, at, junk: good[: at % len(good)] + junk + good[at % len(good) + len(junk) :],
        shaped,
        st.integers(0, 400),
        st.binary(max_size=3),
    )
    return shaped | spoilt


@settings(max_examples=300, deadline=None, database=None)
@given(spoilt_frames())
def test_frames_of_the_right_shape_with_anything_in_them_give_an_event_or_a_wire_error(binary: bytes) -> None:
    assert outcome(binary) in {"ClientFrame", "WireError"}


# --- the forms of the JavaScript client -------------------------------------------------------------------------------


def test_the_golden_ack_of_the_javascript_client_means_what_ours_does() -> None:
    golden = msgpack.unpackb(bytes.fromhex(ACK_IN_MAP16))
    events = ServerEvents("S", lambda: "E")
    assert golden == {"eventType": "connection.ack", "eventId": "E", "sessionId": "S", "payload": {"success": True}}
    ours = msgpack.unpackb(events.ack(Request("connection.ack", "E", "S")))
    assert ours == golden
    repacked = map16(
        {
            "eventType": msgpack.packb(ours["eventType"]),
            "eventId": msgpack.packb(ours["eventId"]),
            "sessionId": msgpack.packb(ours["sessionId"]),
            "payload": map16({"success": msgpack.packb(ours["payload"]["success"])}),
        }
    )
    assert repacked.hex() == ACK_IN_MAP16


def test_a_chunk_as_the_javascript_client_packs_it_is_read() -> None:
    audio = bytes(range(256)) * 32
    binary = map16(
        {
            "eventType": msgpack.packb("voicechat.audio.chunk"),
            "eventId": msgpack.packb("e1"),
            "sessionId": msgpack.packb("s1"),
            "payload": map16(
                {
                    "audio": b"\xc5\x20\x00" + audio,
                    "isMuted": b"\xc2",
                    "timestamp": b"\xcb\x42\x79\xb7\x41\x2d\xc0\x7b\x00",
                }
            ),
        }
    )
    request = Request("voicechat.audio.chunk", "e1", "s1")
    (timestamp,) = [msgpack.unpackb(b"\xcb\x42\x79\xb7\x41\x2d\xc0\x7b\x00")]
    assert parse(binary) == ClientFrame(request, Chunk(audio=audio, is_muted=False, timestamp=timestamp))


def test_a_start_as_the_javascript_client_packs_it_is_read() -> None:
    payload = map16({"samplingRate": b"\xcd\x3e\x80", "language": b"\xa5en-US"})
    binary = map16(
        {
            "eventType": msgpack.packb("voicechat.audio.start"),
            "eventId": msgpack.packb("e1"),
            "sessionId": msgpack.packb("s1"),
            "payload": payload,
        }
    )
    assert parse(binary).event == Start(sampling_rate=16_000, language="en-US")


@pytest.mark.parametrize(
    "rate",
    [b"\xcd\x3e\x80", b"\xce\0\0\x3e\x80", b"\xcf" + (16_000).to_bytes(8), b"\xd1\x3e\x80", b"\xca\x46\x7a\0\0"],
)
def test_any_form_of_a_number_is_taken(rate: bytes) -> None:
    binary = frame("audio.input.start")[:-1] + b"\x81" + msgpack.packb("samplingRate") + rate
    assert parse(binary).event == Start(sampling_rate=16_000)
