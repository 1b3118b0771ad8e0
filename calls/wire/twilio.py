"""Twilio Media Streams: what a bidirectional stream says, and what it is told.

https://www.twilio.com/docs/voice/media-streams/websocket-messages. Frames are JSON texts; numbers come as strings;
audio is base64 of mu-law at 8 kHz without any header.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct
from msgspec.json import Decoder, Encoder

from calls.enums import AudioEncoding
from calls.errors import WireError
from calls.wire.audio import AudioFormat

MAX_MESSAGE_CHARACTERS = 65_536
"""Twilio's own media messages have about 350; this is six seconds of audio in one."""

LINE_FORMAT = AudioFormat(encoding=AudioEncoding.MULAW, rate=8000)
"""What a telephone line carries, both ways."""

Number = Annotated[int, Meta(ge=0)]
"""A count; Twilio writes it as a string."""
Sid = Annotated[str, Meta(min_length=1, max_length=64)]

# --- what comes in ----------------------------------------------------------------------------------------------------


class Connected(Struct, frozen=True, tag_field="event", tag="connected", gc=False):
    """The first message of a socket."""

    protocol: str = ""
    version: str = ""


class MediaFormat(Struct, frozen=True, rename="camel", gc=False):
    """The only format that there is on a bidirectional stream."""

    encoding: Literal["audio/x-mulaw"]
    sample_rate: Literal[8000]
    channels: Literal[1]


class StartFields(Struct, frozen=True, rename="camel"):
    """Which call a stream belongs to; ``custom_parameters`` are the ``<Parameter>`` of its TwiML."""

    account_sid: Sid
    stream_sid: Sid
    call_sid: Sid
    media_format: MediaFormat
    tracks: tuple[str, ...] = ("inbound",)
    custom_parameters: dict[str, str] = {}


class Start(Struct, frozen=True, rename="camel", tag_field="event", tag="start"):
    """The stream begins; sent once, before any audio."""

    start: StartFields
    stream_sid: Sid
    sequence_number: Number = 0


class MediaFields(Struct, frozen=True, gc=False):
    """Caller audio: mu-law, mostly 160 bytes (20 ms). ``timestamp``: milliseconds since the stream began."""

    payload: Annotated[bytes, Meta(min_length=1)]
    track: Literal["inbound"] = "inbound"
    chunk: Number = 0
    timestamp: Number = 0


class Media(Struct, frozen=True, rename="camel", tag_field="event", tag="media", gc=False):
    """A piece of caller audio."""

    media: MediaFields
    stream_sid: Sid
    sequence_number: Number = 0


class DtmfFields(Struct, frozen=True, gc=False):
    """One key."""

    digit: Annotated[str, Meta(pattern="^[0-9*#A-D]$")]
    track: str = "inbound_track"


class Dtmf(Struct, frozen=True, rename="camel", tag_field="event", tag="dtmf", gc=False):
    """The caller pressed a key."""

    dtmf: DtmfFields
    stream_sid: Sid
    sequence_number: Number = 0


class MarkFields(Struct, frozen=True, gc=False):
    """The name that the mark was sent with."""

    name: str


class Mark(Struct, frozen=True, rename="camel", tag_field="event", tag="mark", gc=False):
    """The audio before a mark was played, or thrown away by a clear."""

    mark: MarkFields
    stream_sid: Sid
    sequence_number: Number = 0


class StopFields(Struct, frozen=True, rename="camel", gc=False):
    """Which call it was."""

    account_sid: str = ""
    call_sid: str = ""


class Stop(Struct, frozen=True, rename="camel", tag_field="event", tag="stop", gc=False):
    """The stream is over: the call has ended or goes on elsewhere."""

    stream_sid: Sid
    stop: StopFields = StopFields()
    sequence_number: Number = 0


Incoming = Connected | Start | Media | Dtmf | Mark | Stop

_decoder: Decoder[Incoming] = Decoder(Incoming, strict=False)


def parse(text: str) -> Incoming:
    """Read one message. Raises ``WireError`` that names the field, for any text."""
    if len(text) > MAX_MESSAGE_CHARACTERS:
        message = f"a message of {len(text)} characters; expected at most {MAX_MESSAGE_CHARACTERS}"
        raise WireError(message)
    try:
        return _decoder.decode(text)
    except msgspec.DecodeError as error:
        raise WireError(str(error)) from error
    except UnicodeError as error:
        message = "the message is no Unicode text"
        raise WireError(message) from error
    except RecursionError as error:
        message = "the message is nested too deeply"
        raise WireError(message) from error


# --- what goes out ----------------------------------------------------------------------------------------------------


class _Payload(Struct, frozen=True, gc=False):
    payload: bytes


class _MediaOut(Struct, frozen=True, rename="camel", tag_field="event", tag="media", gc=False):
    stream_sid: str
    media: _Payload


class _MarkOut(Struct, frozen=True, rename="camel", tag_field="event", tag="mark", gc=False):
    stream_sid: str
    mark: MarkFields


class _ClearOut(Struct, frozen=True, rename="camel", tag_field="event", tag="clear", gc=False):
    stream_sid: str


_encode = Encoder().encode


# --- a stream ---------------------------------------------------------------------------------------------------------


class MediaStream:
    """The protocol's state on one socket: connected, started, stopped; and the words of the started stream."""

    def __init__(self) -> None:
        self.start: StartFields | None = None
        self.is_over = False

    def read(self, text: str) -> Incoming:
        """Read the next message. Raises ``WireError`` also for one at the wrong moment or of another stream."""
        event = parse(text)
        if isinstance(event, Connected):
            return event
        if isinstance(event, Start):
            self._begin(event)
        elif self.start is None:
            message = f"'{_name(event)}' before 'start'"
            raise WireError(message)
        elif self.is_over:
            message = f"'{_name(event)}' after 'stop'"
            raise WireError(message)
        elif event.stream_sid != self.start.stream_sid:
            message = "streamSid is that of another stream - at `$.streamSid`"
            raise WireError(message)
        elif isinstance(event, Stop):
            self.is_over = True
        return event

    def _begin(self, event: Start) -> None:
        if self.start is not None:
            message = "a second 'start'"
            raise WireError(message)
        if event.stream_sid != event.start.stream_sid:
            message = "streamSid differs from that of the message - at `$.start.streamSid`"
            raise WireError(message)
        if "inbound" not in event.start.tracks:
            message = "expected 'inbound' - at `$.start.tracks`"
            raise WireError(message)
        self.start = event.start

    @property
    def stream_sid(self) -> str:
        """The started stream's name."""
        if self.start is None:
            message = "the stream has not started"
            raise RuntimeError(message)
        return self.start.stream_sid

    def media(self, audio: bytes) -> bytes:
        """Write agent audio, mu-law at 8 kHz."""
        return _encode(_MediaOut(self.stream_sid, _Payload(audio)))

    def mark(self, name: str) -> bytes:
        """Write a mark: it comes back when the audio before it was played or cleared."""
        return _encode(_MarkOut(self.stream_sid, MarkFields(name)))

    def clear(self) -> bytes:
        """Write the order to throw away all audio that was not played yet."""
        return _encode(_ClearOut(self.stream_sid))


def _name(event: Incoming) -> str:
    return str(event.__struct_config__.tag)
