"""Conferences: who is in which room, and what each of them hears of the others."""

from collections import deque

import numpy as np

from calls.enums import AudioEncoding
from calls.sandbox.leg import SILENCE
from calls.wire.audio import decode, encode

_MOST_WAITING = 10
"""Frames of one member that another has not heard yet; the oldest goes."""


class Room:
    """One conference. Members are whatever can be a key."""

    def __init__(self) -> None:
        self.is_closed = False
        self._seats: dict[object, dict[object, deque[bytes]]] = {}

    @property
    def size(self) -> int:
        """How many are in it."""
        return len(self._seats)

    @property
    def is_shared(self) -> bool:
        """Whether there is anybody to talk to."""
        return self.size > 1

    def enter(self, member: object) -> None:
        """Take a seat."""
        self._seats[member] = {}

    def leave(self, member: object) -> None:
        """Give the seat up."""
        self._seats.pop(member, None)

    def hear(self, member: object) -> bytes:
        """Give the next 20 ms of all others together."""
        frames = [voice.popleft() for voice in self._seats[member].values() if voice]
        return _mix(frames) if len(frames) > 1 else next(iter(frames), SILENCE)

    def say(self, member: object, frame: bytes) -> None:
        """Let the others hear 20 ms."""
        for other, seat in self._seats.items():
            if other is not member:
                seat.setdefault(member, deque(maxlen=_MOST_WAITING)).append(frame)


class Rooms:
    """All conferences of the network."""

    def __init__(self) -> None:
        self._rooms: dict[str, Room] = {}

    def enter(self, name: str, member: object) -> Room:
        """Enter a room; a closed one is opened anew."""
        room = self._rooms.get(name)
        if room is None or room.is_closed:
            room = self._rooms[name] = Room()
        room.enter(member)
        return room

    def leave(self, name: str, room: Room, member: object, *, closes: bool) -> None:
        """Leave; the last one out, or one who ends the conference, closes the room."""
        room.leave(member)
        if closes or not room.size:
            room.is_closed = True
            if self._rooms.get(name) is room:
                del self._rooms[name]


def _mix(frames: list[bytes]) -> bytes:
    sound = np.sum([np.frombuffer(decode(frame, AudioEncoding.MULAW), "<i2").astype(np.int32) for frame in frames], 0)
    return encode(np.clip(sound, -32_768, 32_767).astype("<i2").tobytes(), AudioEncoding.MULAW)
