"""What the client is told, as the bytes of both families."""

import itertools
from typing import Any

import msgpack
import pytest

from calls.enums import CancelReason, ConversationState, ErrorCode
from calls.wire.console import Family, FrameError, Heartbeat, Request, ServerEvents, parse

SESSION = "0193d1f2-0000-7000-8000-000000000000"
NOW = 1_767_225_600_123.0
UNKNOWN_EVENT: bytes = msgpack.packb({"eventType": "user.shout", "eventId": "e", "sessionId": "s", "payload": {}})


def refused(binary: bytes) -> FrameError:
    with pytest.raises(FrameError) as caught:
        parse(binary)
    return caught.value


def server(family: Family | None = None) -> ServerEvents:
    ids = itertools.count(1)
    events = ServerEvents(SESSION, lambda: f"id-{next(ids)}")
    events.family = family
    return events


LATENCY = {"endpointing": 600.04, "stt": 1.0, "llm": 210.06, "tts": 90.0, "total": 901.25}
METRICS = {"endpointing": 600.0, "stt": 1.0, "llm": 210.1, "tts": 90.0, "total": 901.2}


def told(binary: bytes) -> tuple[str, dict[str, Any]]:
    event = msgpack.unpackb(binary)
    assert (set(event), event["eventId"], event["sessionId"]) == (
        {"eventType", "eventId", "sessionId", "payload"},
        "id-1",
        SESSION,
    )
    return event["eventType"], event["payload"]


@pytest.mark.parametrize(
    ("method", "arguments", "canonical", "voicechat", "payload"),
    [
        (
            "interim",
            ("u", "hel", 0.5),
            "transcript.interim",
            "voicechat.transcript.interim",
            {"text": "hel", "confidence": 0.5, "utteranceId": "u"},
        ),
        (
            "final",
            ("u", "hello", 0.9, 420.0),
            "transcript.final",
            "voicechat.transcript.final",
            {"text": "hello", "confidence": 0.9, "utteranceId": "u", "duration": 420.0},
        ),
        (
            "state",
            (ConversationState.LISTENING, ConversationState.THINKING, NOW),
            "conversation.state.changed",
            "voicechat.state",
            {"from": "LISTENING", "to": "THINKING", "timestamp": NOW},
        ),
        (
            "response_start",
            ("u", NOW),
            "conversation.response.start",
            "voicechat.response.start",
            {"utteranceId": "u", "timestamp": NOW},
        ),
        (
            "token",
            ("u", "Good"),
            "conversation.response.token",
            "voicechat.response.token",
            {"utteranceId": "u", "token": "Good"},
        ),
        (
            "audio",
            ("u", b"\1\2", 8000),
            "audio.output.chunk",
            "voicechat.response.chunk",
            {"audio": b"\1\2", "utteranceId": "u", "sampleRate": 8000},
        ),
        (
            "response_complete",
            ("u", "Good day.", LATENCY),
            "conversation.response.complete",
            "voicechat.response.complete",
            {"utteranceId": "u", "text": "Good day.", "metrics": METRICS},
        ),
        (
            "response_complete",
            ("u", "Hello.", None),
            "conversation.response.complete",
            "voicechat.response.complete",
            {"utteranceId": "u", "text": "Hello.", "metrics": {}},
        ),
        (
            "cancel",
            ("u", CancelReason.BARGE_IN, "Good", NOW),
            "audio.output.cancel",
            "voicechat.response.interrupt",
            {"utteranceId": "u", "timestamp": NOW, "reason": "barge_in", "heardText": "Good"},
        ),
        (
            "cancel",
            ("u", CancelReason.REQUESTED, "", NOW),
            "audio.output.cancel",
            "voicechat.response.stop",
            {"utteranceId": "u", "timestamp": NOW, "reason": "requested", "heardText": ""},
        ),
        ("metrics", (LATENCY,), "call.metrics", "voicechat.metrics", METRICS),
    ],
)
def test_each_event_has_its_name_in_both_families(
    method: str, arguments: tuple[Any, ...], canonical: str, voicechat: str, payload: dict[str, Any]
) -> None:
    names = {None: canonical, Family.CANONICAL: canonical, Family.VOICECHAT: voicechat}
    for family, name in names.items():
        assert told(getattr(server(family), method)(*arguments)) == (name, payload)


@pytest.mark.parametrize("reason", [reason for reason in CancelReason if reason is not CancelReason.BARGE_IN])
def test_the_react_client_is_told_to_stop_for_any_reason_but_the_callers_voice(reason: CancelReason) -> None:
    kind, _ = told(server(Family.VOICECHAT).cancel("u", reason, "", NOW))
    assert kind == "voicechat.response.stop"


def test_timestamps_are_packed_as_float64_and_audio_as_bin() -> None:
    assert msgpack.packb("timestamp") + b"\xcb" in server().response_start("u", NOW)
    assert msgpack.packb("audio") + b"\xc4\x02\1\2" in server().audio("u", b"\1\2", 8000)


def test_both_greetings_go_out_the_canonical_first_each_with_its_own_id() -> None:
    greetings = [msgpack.unpackb(binary) for binary in server().connection_acks()]
    payload = {"success": True, "sessionId": SESSION}
    assert greetings == [
        {"eventType": name, "eventId": event_id, "sessionId": SESSION, "payload": payload}
        for name, event_id in (("connection.lifecycle.ack", "id-1"), ("connection.ack", "id-2"))
    ]


def test_an_ack_echoes_the_request() -> None:
    assert msgpack.unpackb(server().ack(Request("audio.input.start", "e1", "old"))) == {
        "eventType": "audio.input.start",
        "eventId": "e1",
        "sessionId": "old",
        "payload": {"success": True},
    }


def test_a_heartbeat_comes_back_as_it_went_with_its_time_as_float64() -> None:
    fields = {"eventType": "connection.lifecycle.heartbeat", "eventId": "e", "sessionId": "s"}
    binary = msgpack.packb({**fields, "payload": {"timestamp": int(NOW)}})
    parsed = parse(binary)
    assert isinstance(parsed.event, Heartbeat)
    answer = server().heartbeat(parsed.request, parsed.event)
    assert msgpack.unpackb(answer) == msgpack.unpackb(binary)
    assert b"\xcb" in answer


@pytest.mark.parametrize(
    ("family", "request_type", "code", "kind"),
    [
        (None, "user.text", ErrorCode.INVALID_PAYLOAD, "error.system.invalid_payload"),
        (Family.CANONICAL, "audio.input.chunk", ErrorCode.AUDIO, "error.system.audio"),
        (Family.CANONICAL, "", ErrorCode.STT, "error.system.stt"),
        (Family.CANONICAL, "", ErrorCode.INVALID_PAYLOAD, "error.system.invalid_payload"),
        (Family.VOICECHAT, "voicechat.audio.chunk", ErrorCode.AUDIO, "voicechat.audio.error"),
        (Family.VOICECHAT, "user.action.end_call", ErrorCode.SESSION, "user.action.error"),
        (Family.VOICECHAT, "nonsense", ErrorCode.INVALID_PAYLOAD, "error"),
        (Family.VOICECHAT, "", ErrorCode.LLM, "voicechat.error"),
    ],
)
def test_errors_are_named_by_family_and_request(
    family: Family | None, request_type: str, code: ErrorCode, kind: str
) -> None:
    request = Request(request_type, "e1", "s1") if request_type else None
    event = msgpack.unpackb(server(family).error(code, "why", retryable=True, request=request))
    payload: dict[str, Any] = {"message": "why", "code": code.value, "retryable": True}
    if family is Family.VOICECHAT:
        payload["errorType"] = code.short
    assert event == {
        "eventType": kind,
        "eventId": "e1" if request else "id-1",
        "sessionId": "s1" if request else SESSION,
        "requestType": request_type,
        "payload": payload,
    }


def test_an_unreadable_frame_before_the_family_is_known_is_answered_for_the_react_client() -> None:
    event = msgpack.unpackb(server().frame_error(refused(b"\xc1")))
    message = "not MessagePack: MessagePack data is malformed: invalid opcode '\\xc1' (byte 0)"
    assert event == {
        "eventType": "error",
        "eventId": "id-1",
        "sessionId": SESSION,
        "requestType": "",
        "payload": {
            "message": message,
            "code": "INVALID_PAYLOAD",
            "retryable": False,
            "errorType": "invalid_payload",
        },
    }


@pytest.mark.parametrize(
    ("family", "kind"), [(Family.CANONICAL, "error.system.invalid_payload"), (Family.VOICECHAT, "voicechat.error")]
)
def test_an_unreadable_frame_of_a_known_family_is_answered_in_it(family: Family, kind: str) -> None:
    assert msgpack.unpackb(server(family).frame_error(refused(b"\xc1")))["eventType"] == kind


def test_a_readable_frame_before_the_family_is_known_is_answered_canonically() -> None:
    assert msgpack.unpackb(server().frame_error(refused(UNKNOWN_EVENT)))["eventType"] == (
        "error.system.invalid_payload"
    )


def test_the_codes_of_errors_are_spelled_short_in_names() -> None:
    assert {code.value: code.short for code in ErrorCode} == {
        "INVALID_PAYLOAD": "invalid_payload",
        "SESSION_ERROR": "session",
        "AUDIO_ERROR": "audio",
        "STT_ERROR": "stt",
        "LLM_ERROR": "llm",
        "TTS_ERROR": "tts",
        "CONNECTION_ERROR": "connection",
        "INTERNAL_ERROR": "internal",
        "UNKNOWN_ERROR": "unknown",
    }
