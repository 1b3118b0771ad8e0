"""The audio between the caller and the transcript: what is still to be sent, and what may have to be sent again."""

from calls.wire.audio import AudioFormat

LIMIT_SECONDS = 20.0


class AudioLog:
    """Holds the caller's audio from the oldest byte not yet transcribed to the newest. Pure; positions count bytes.

    ``base`` <= ``cursor`` <= ``head``: what lies before the cursor was sent and is kept for a replay, what lies after
    it waits. Past the limit the oldest goes; what had not been sent by then is lost and counted in ``dropped_bytes``.
    """

    def __init__(self, audio: AudioFormat, *, limit_seconds: float = LIMIT_SECONDS) -> None:
        self._format = audio
        self._limit = self.size(limit_seconds)
        self._held = bytearray()
        self.base = 0
        self.cursor = 0
        self.dropped_bytes = 0

    @property
    def head(self) -> int:
        """The position after the newest byte."""
        return self.base + len(self._held)

    @property
    def dropped_ms(self) -> float:
        """Audio that was never sent."""
        return self._format.duration_ms(self.dropped_bytes)

    def size(self, seconds: float) -> int:
        """Give the bytes of so many seconds, in whole samples."""
        width = self._format.bytes_per_second // self._format.rate
        return int(seconds * self._format.rate) * width

    def seconds(self, size: int) -> float:
        """Give the duration of so many bytes."""
        return size / self._format.bytes_per_second

    def append(self, audio: bytes) -> int:
        """Take audio; give the unsent bytes that had to go for it."""
        self._held += audio
        surplus = len(self._held) - self._limit
        if surplus <= 0:
            return 0
        self._drop(surplus)
        lost = max(0, self.base - self.cursor)
        self.cursor = max(self.cursor, self.base)
        self.dropped_bytes += lost
        return lost

    def take(self, seconds: float) -> bytes:
        """Give the next audio to send, at most so many seconds; empty when all is sent."""
        start = self.cursor - self.base
        audio = bytes(self._held[start : start + self.size(seconds)])
        self.cursor += len(audio)
        return audio

    def release(self, position: int) -> None:
        """Let go of what lies before ``position``: it is transcribed. What was not sent stays."""
        self._drop(min(position, self.cursor) - self.base)

    def rewind(self) -> None:
        """Send everything that is held again, on a new connection."""
        self.cursor = self.base

    def _drop(self, size: int) -> None:
        if size > 0:
            size = min(size, len(self._held))
            del self._held[:size]
            self.base += size
