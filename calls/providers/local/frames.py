"""What passes between this process and the speech processes: length-prefixed MessagePack over a local socket.

A frame is four bytes of length (big-endian) and one tagged structure.
"""

import asyncio
import struct
from socket import socket
from typing import TypeVar

import msgspec
from msgspec import Struct

from calls.engine.events import Word
from calls.enums import AudioEncoding

T = TypeVar("T")

_LENGTH = struct.Struct(">I")
_encoder = msgspec.msgpack.Encoder()


class Say(Struct, frozen=True, tag=True, kw_only=True):
    """Speak ``text`` with the first of ``voices`` that exists, as audio of this encoding and rate (Hz)."""

    request: int
    text: str
    voices: tuple[str, ...]
    pronunciations: dict[str, str]
    encoding: AudioEncoding
    rate: int


class Stop(Struct, frozen=True, tag=True):
    """Nobody wants the answer to this request any more."""

    request: int


class Spoken(Struct, frozen=True, tag=True):
    """A whole sentence and when its words sound."""

    request: int
    audio: bytes
    words: tuple[Word, ...]


class Listen(Struct, frozen=True, tag=True, kw_only=True):
    """The first frame of a call: the sentences of its script, and where models made from scripts are kept."""

    sentences: tuple[str, ...]
    context: tuple[str, ...]
    pronunciations: dict[str, str]
    cache: str


class Hear(Struct, frozen=True, tag=True):
    """Audio of an utterance, PCM16 at 16 kHz."""

    utterance: int
    pcm: bytes


class Finish(Struct, frozen=True, tag=True):
    """The utterance is over: give its words."""

    utterance: int


class Heard(Struct, frozen=True, tag=True):
    """Words of an utterance; ``is_final`` ends it."""

    utterance: int
    text: str
    confidence: float
    is_final: bool


def frame(message: Struct) -> bytes:
    """Write one frame."""
    body = _encoder.encode(message)
    return _LENGTH.pack(len(body)) + body


async def read_frame(reader: asyncio.StreamReader, decoder: "msgspec.msgpack.Decoder[T]") -> T | None:
    """Read one frame; None when the other side is gone."""
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        return decoder.decode(await reader.readexactly(length))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def receive_frame(connection: socket, decoder: "msgspec.msgpack.Decoder[T]") -> T | None:
    """Wait for one frame on a blocking socket; None when the other side is gone."""
    header = _receive_exactly(connection, _LENGTH.size)
    if header is None:
        return None
    body = _receive_exactly(connection, _LENGTH.unpack(header)[0])
    return None if body is None else decoder.decode(body)


def _receive_exactly(connection: socket, size: int) -> bytes | None:
    received = bytearray()
    while len(received) < size:
        try:
            piece = connection.recv(size - len(received))
        except ConnectionError:
            return None
        if not piece:
            return None
        received += piece
    return bytes(received)
