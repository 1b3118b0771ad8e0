"""The ``/ws`` protocol: MessagePack frames of a browser to events, and what it is told back to frames.

Two families name the same events: the canonical one and that of the React client (``voicechat``). docs/protocol.md
describes both.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Any, cast

import msgspec
from msgspec import Meta, Raw, Struct
from msgspec.msgpack import Decoder, Encoder, Ext

from calls.enums import CancelReason, ConversationState, ErrorCode
from calls.errors import WireError

MAX_FRAME_BYTES = 2**20
DEFAULT_RATE = 16_000


class Family(StrEnum):
    """By which names a connection calls its events."""

    CANONICAL = "vantum"
    VOICECHAT = "voicechat"


# --- what the client says ---------------------------------------------------------------------------------------------

Rate = Annotated[float, Meta(ge=8000, le=48_000)]
"""Samples a second. A float, because some packers write every JavaScript number as one; whole all the same."""


class Request(Struct, frozen=True, gc=False):
    """Which frame an acknowledgement or an error answers; empty where it could not be read."""

    event_type: str = ""
    event_id: str = ""
    session_id: str = ""


class FrameError(WireError):
    """A client's frame cannot be used. ``request`` is what could be read of its envelope."""

    def __init__(
        self, message: str, request: Request | None = None, code: ErrorCode = ErrorCode.INVALID_PAYLOAD
    ) -> None:
        super().__init__(message)
        self.request = request or Request()
        self.code = code


class Start(Struct, frozen=True, kw_only=True, rename="camel"):
    """Begin a call, or a new turn of it. Rates in Hz; what is None takes its default."""

    sampling_rate: Rate | None = None
    output_sample_rate: Rate | None = None
    agent_id: str | None = None
    language: Annotated[str, Meta(pattern="^[a-z]{2,3}-[A-Z]{2}$")] | None = None
    voice_id: str | None = None
    campaign_id: str | None = None
    variables: dict[str, str | int | float | bool | None] | None = None

    def __post_init__(self) -> None:
        """See that the rates are whole."""
        _see_whole("samplingRate", self.sampling_rate)
        _see_whole("outputSampleRate", self.output_sample_rate)

    @property
    def input_rate(self) -> int:
        """The rate of the caller's audio."""
        return int(self.sampling_rate or DEFAULT_RATE)

    @property
    def output_rate(self) -> int:
        """The rate of the agent's audio."""
        return int(self.output_sample_rate or self.input_rate)

    @property
    def texts(self) -> dict[str, str]:
        """The variables as an agent's texts take them; one without a value is as good as not given."""
        given = {name: value for name, value in (self.variables or {}).items() if value is not None}
        return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in given.items()}


def _see_whole(field: str, rate: float | None) -> None:
    if rate is not None and rate % 1:
        message = f"Expected a whole number - at `$.{field}`"
        raise ValueError(message)


class Chunk(Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """Caller audio: PCM16, mono."""

    audio: bytes
    is_muted: bool | None = None
    timestamp: float | None = None


class End(Struct, frozen=True, gc=False):
    """The microphone was closed."""

    reason: str | None = None


class Interrupt(Struct, frozen=True, gc=False):
    """Stop the agent now."""


class EndCall(Struct, frozen=True, gc=False):
    """Say goodbye and end the call."""

    reason: str | None = None


class Mute(Struct, frozen=True, gc=False):
    """Hear silence in place of what comes."""


class Unmute(Struct, frozen=True, gc=False):
    """Hear again."""


class Text(Struct, frozen=True, gc=False):
    """A typed turn."""

    text: str


class Played(Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """How much of a reply was really played, in milliseconds."""

    utterance_id: str
    played_ms: Annotated[float, Meta(ge=0, le=86_400_000)]


class Heartbeat(Struct, frozen=True, gc=False):
    """The client lives. ``timestamp`` in Unix milliseconds."""

    timestamp: float | None = None


class Disconnect(Struct, frozen=True, gc=False):
    """Close the connection."""

    reason: str | None = None


ClientEvent = Start | Chunk | End | Interrupt | EndCall | Mute | Unmute | Text | Played | Heartbeat | Disconnect


class ClientFrame(Struct, frozen=True, gc=False):
    """One frame of the client."""

    request: Request
    event: ClientEvent


_TWO_NAMED: dict[Family, dict[str, type[ClientEvent]]] = {
    Family.CANONICAL: {
        "audio.input.start": Start,
        "audio.input.chunk": Chunk,
        "audio.input.end": End,
        "audio.input.stop": End,
    },
    Family.VOICECHAT: {
        "voicechat.audio.start": Start,
        "voicechat.audio.chunk": Chunk,
        "voicechat.audio.end": End,
    },
}
_ONE_NAMED: dict[str, type[ClientEvent]] = {
    "user.action.interrupt": Interrupt,
    "user.action.end_call": EndCall,
    "user.action.mute": Mute,
    "user.action.unmute": Unmute,
    "user.text": Text,
    "audio.output.played": Played,
    "connection.lifecycle.heartbeat": Heartbeat,
    "connection.lifecycle.disconnect": Disconnect,
}
_FAMILIES = {name: family for family, names in _TWO_NAMED.items() for name in names}
_KINDS = _ONE_NAMED | {name: kind for names in _TWO_NAMED.values() for name, kind in names.items()}


def family_of(event_type: str) -> Family | None:
    """Give the family that a client uses who calls an event so; None where both families have the same name for it."""
    return _FAMILIES.get(event_type)


_UNDEFINED = Ext(0, b"\0")


def _read_extension(code: int, data: memoryview) -> Ext | None:
    """Read JavaScript's undefined, which msgpackr packs as an extension, like null; leave others as they are."""
    extension = Ext(code, bytes(data))
    return None if extension == _UNDEFINED else extension


class _Envelope(Struct, rename="camel", gc=False):
    event_type: str
    event_id: str
    session_id: Any = None  # text, or nothing where the client does not know it yet
    payload: Raw = Raw(b"\x80")


_ENVELOPE = Decoder(_Envelope, ext_hook=_read_extension)
_PAYLOADS: dict[type[ClientEvent], Decoder[Any]] = {kind: Decoder(kind) for kind in _KINDS.values()}
_LOOSE: Decoder[Any] = Decoder(ext_hook=_read_extension)
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def parse(frame: bytes) -> ClientFrame:
    """Read one binary message. Raises ``FrameError`` that says which field is wrong and what was expected there."""
    try:
        envelope = _ENVELOPE.decode(frame)
    except _UNREADABLE as error:
        raise FrameError(_explain(error), _salvage(frame)) from None
    session_id = "" if envelope.session_id is None else envelope.session_id
    if not isinstance(session_id, str):
        message = "sessionId: expected `str`"
        raise FrameError(message, Request(envelope.event_type, envelope.event_id))
    request = Request(envelope.event_type, envelope.event_id, session_id)
    kind = _KINDS.get(envelope.event_type)
    if kind is None:
        message = f"eventType: {envelope.event_type[:80]!r} is not an event of this protocol"
        raise FrameError(message, request)
    try:
        event = _read_payload(envelope.payload, kind)
    except _UNREADABLE as error:
        raise FrameError(_explain(error, "payload"), request) from None
    if isinstance(event, Chunk) and len(event.audio) % 2:
        message = f"payload.audio: expected PCM16, an even number of bytes, got {len(event.audio)}"
        raise FrameError(message, request, ErrorCode.AUDIO)
    return ClientFrame(request, event)


def _read_payload(payload: Raw, kind: type[ClientEvent]) -> ClientEvent:
    try:
        return cast("ClientEvent", _PAYLOADS[kind].decode(payload))
    except msgspec.ValidationError:
        # Slower, and with an eye for undefined.
        return msgspec.convert(_LOOSE.decode(payload), kind, builtin_types=(bytes,))


def _salvage(frame: bytes) -> Request:
    """Read what can be read of an envelope that is wrong."""
    try:
        fields = _LOOSE.decode(frame)
    except _UNREADABLE:
        return Request()
    if not isinstance(fields, dict):
        return Request()
    texts = (fields.get(name) for name in ("eventType", "eventId", "sessionId"))
    return Request(*(text if isinstance(text, str) else "" for text in texts))


def _explain(error: Exception, place: str = "") -> str:
    """Say which field is wrong and what was expected: ``payload.samplingRate: expected `float` >= 8000.0``."""
    if isinstance(error, RecursionError):
        reason, path = "nested too deeply", ""
    elif isinstance(error, UnicodeDecodeError):
        reason, path = "expected text in UTF-8", ""
    elif not isinstance(error, msgspec.ValidationError):
        reason, path = f"not MessagePack: {error}", ""
    else:
        reason, _, path = str(error).partition(" - at `")
        path = path.rstrip("`").removeprefix("$").removeprefix(".").replace("key` in `$", "a key")
        reason = reason.replace("`object`", "a map")
    where = ".".join(part for part in (place, path) if part)
    return f"{where}: {reason[:1].lower()}{reason[1:]}" if where else reason


# --- what the client is told ------------------------------------------------------------------------------------------

_VOICECHAT = {
    "transcript.interim": "voicechat.transcript.interim",
    "transcript.final": "voicechat.transcript.final",
    "conversation.state.changed": "voicechat.state",
    "conversation.response.start": "voicechat.response.start",
    "conversation.response.token": "voicechat.response.token",
    "audio.output.chunk": "voicechat.response.chunk",
    "conversation.response.complete": "voicechat.response.complete",
    "call.metrics": "voicechat.metrics",
}
_pack = Encoder().encode


class ServerEvents:
    """Packs what one connection is told. ``new_id`` gives the id of each new event, timestamps are Unix milliseconds.

    ``family`` is None until the client has shown which one it speaks. Timestamps are packed as float64: JavaScript
    reads a uint64 as a BigInt.
    """

    def __init__(self, session_id: str, new_id: Callable[[], str]) -> None:
        self.session_id = session_id
        self.family: Family | None = None
        self._new_id = new_id

    def connection_acks(self) -> tuple[bytes, bytes]:
        """Greet in both families, the canonical first."""
        payload = {"success": True, "sessionId": self.session_id}
        return self._pack("connection.lifecycle.ack", payload), self._pack("connection.ack", payload)

    def ack(self, request: Request) -> bytes:
        """Say that a request is accepted."""
        return self._answer(request, request.event_type, {"success": True})

    def heartbeat(self, request: Request, event: Heartbeat) -> bytes:
        """Give a heartbeat back as it came."""
        payload = {} if event.timestamp is None else {"timestamp": event.timestamp}
        return self._answer(request, request.event_type, payload)

    def error(self, code: ErrorCode, message: str, *, retryable: bool, request: Request | None = None) -> bytes:
        """Say what failed; ``request`` where it was a request that did."""
        kind = f"error.system.{code.short}"
        if self.family is Family.VOICECHAT:
            stem = request.event_type.rpartition(".")[0] if request and request.event_type else "voicechat"
            kind = f"{stem}.error" if stem else "error"
        return self._error(kind, code, message, retryable=retryable, request=request)

    def frame_error(self, error: FrameError) -> bytes:
        """Answer a frame that cannot be used.

        Who has not shown its family and sends what cannot be read may be the React client, which shows ``error`` only.
        """
        if self.family is None and not error.request.event_type:
            return self._error("error", error.code, str(error), retryable=False, request=error.request)
        return self.error(error.code, str(error), retryable=False, request=error.request)

    def _error(self, kind: str, code: ErrorCode, message: str, *, retryable: bool, request: Request | None) -> bytes:
        payload = {"message": message, "code": code.value, "retryable": retryable}
        if self.family is Family.VOICECHAT or kind == "error":
            payload["errorType"] = code.short
        request = request or Request()
        return self._answer(request, kind, payload, requestType=request.event_type)

    def state(self, before: ConversationState, after: ConversationState, at_ms: float) -> bytes:
        """Say whose turn it is."""
        return self._tell("conversation.state.changed", {"from": before.wire, "to": after.wire, "timestamp": at_ms})

    def interim(self, utterance_id: str, text: str, confidence: float) -> bytes:
        """Show what the caller is saying."""
        return self._tell("transcript.interim", {"text": text, "confidence": confidence, "utteranceId": utterance_id})

    def final(self, utterance_id: str, text: str, confidence: float, duration_ms: float) -> bytes:
        """Show what the caller has said."""
        payload = {"text": text, "confidence": confidence, "utteranceId": utterance_id, "duration": duration_ms}
        return self._tell("transcript.final", payload)

    def response_start(self, utterance_id: str, at_ms: float) -> bytes:
        """Announce a reply's first audio."""
        return self._tell("conversation.response.start", {"utteranceId": utterance_id, "timestamp": at_ms})

    def token(self, utterance_id: str, text: str) -> bytes:
        """Show a piece of a reply's text."""
        return self._tell("conversation.response.token", {"utteranceId": utterance_id, "token": text})

    def audio(self, utterance_id: str, pcm: bytes, rate: int) -> bytes:
        """Pack a chunk of a reply's audio."""
        return self._tell("audio.output.chunk", {"audio": pcm, "utteranceId": utterance_id, "sampleRate": rate})

    def response_complete(self, utterance_id: str, text: str, latency: Mapping[str, float] | None) -> bytes:
        """Say that a reply's last byte was sent; ``latency`` by part, in milliseconds."""
        payload = {"utteranceId": utterance_id, "text": text, "metrics": _rounded(latency or {})}
        return self._tell("conversation.response.complete", payload)

    def metrics(self, latency: Mapping[str, float]) -> bytes:
        """Show the parts of a turn's latency."""
        return self._tell("call.metrics", _rounded(latency))

    def cancel(self, utterance_id: str, reason: CancelReason, heard: str, at_ms: float) -> bytes:
        """Have the client stop a reply; the React client tells the caller's voice from all other reasons."""
        kind = "audio.output.cancel"
        if self.family is Family.VOICECHAT:
            kind = f"voicechat.response.{'interrupt' if reason is CancelReason.BARGE_IN else 'stop'}"
        payload = {"utteranceId": utterance_id, "timestamp": at_ms, "reason": reason.value, "heardText": heard}
        return self._pack(kind, payload)

    def _tell(self, kind: str, payload: Mapping[str, Any]) -> bytes:
        return self._pack(_VOICECHAT[kind] if self.family is Family.VOICECHAT else kind, payload)

    def _pack(self, kind: str, payload: Mapping[str, Any]) -> bytes:
        return _pack({"eventType": kind, "eventId": self._new_id(), "sessionId": self.session_id, "payload": payload})

    def _answer(self, request: Request, kind: str, payload: Mapping[str, Any], **more: str) -> bytes:
        """Echo the request's ids; where it had none, the event gets its own."""
        ids = {"eventId": request.event_id or self._new_id(), "sessionId": request.session_id or self.session_id}
        return _pack({"eventType": kind, **ids, **more, "payload": payload})


def _rounded(latency: Mapping[str, float]) -> dict[str, float]:
    return {part: round(ms, 1) for part, ms in latency.items()}
