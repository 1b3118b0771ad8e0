"""What Deepgram's sockets say, as far as it matters to a call.

Sources: https://developers.deepgram.com/reference/speech-to-text/listen-streaming and .../listen-flux.
The SDK would try each message against each of its models; here its ``type`` names the one to read.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct


class Message(Struct):
    """A message of which only the type matters."""

    type: str = ""


class Failure(Message):
    """``Error``: what nova calls the variant and Flux the code."""

    code: str | None = None
    variant: str | None = None


class Word(Struct):
    """A word of a turn; ``end`` in seconds of the connection's audio."""

    word: str
    confidence: float = 1.0
    end: float | None = None


class TurnInfo(Message, kw_only=True):
    """Flux: the whole turn so far; ``audio_window_end`` in seconds of the connection's audio."""

    event: str
    transcript: str
    audio_window_end: float
    words: list[Word] = []


class Alternative(Struct):
    """One way to understand the audio."""

    transcript: str
    confidence: float | None = None


class Channel(Struct):
    """The best alternative comes first."""

    alternatives: Annotated[list[Alternative], Meta(min_length=1)]


class Results(Message, kw_only=True):
    """Nova: an interim or final transcript; ``start`` and ``duration`` in seconds of the connection's audio."""

    channel: Channel
    start: float
    duration: float
    is_final: bool = False
    speech_final: bool | None = None
    from_finalize: bool | None = None


_type = msgspec.json.Decoder(Message)
_shapes: dict[str, msgspec.json.Decoder[Message]] = {
    "TurnInfo": msgspec.json.Decoder(TurnInfo),
    "Results": msgspec.json.Decoder(Results),
    "Error": msgspec.json.Decoder(Failure),
}


def read(text: str) -> Message:
    """Read a message. Raises ``msgspec.ValidationError`` for an unknown shape, ``msgspec.DecodeError`` for no JSON."""
    message = _type.decode(text)
    decoder = _shapes.get(message.type)
    return message if decoder is None else decoder.decode(text)
