"""Which stream has which call in this process: a call has one voice."""

from typing import Protocol
from uuid import UUID


class Holder(Protocol):
    """A stream's call, as the one that takes it over sees it."""

    async def hand_over(self) -> None:
        """End this stream and return when its call is recorded."""


class PhoneLines:
    """The streams of this process by the attempt that they belong to."""

    def __init__(self) -> None:
        self._holders: dict[UUID, Holder] = {}

    def take(self, attempt_id: UUID, holder: Holder) -> Holder | None:
        """Give the call to this stream; returns the one that had it."""
        earlier = self._holders.get(attempt_id)
        self._holders[attempt_id] = holder
        return earlier

    def has(self, attempt_id: UUID) -> bool:
        """Whether a stream of this process has the call."""
        return attempt_id in self._holders

    def release(self, attempt_id: UUID, holder: Holder) -> None:
        """Let go of a call, unless another stream has taken it over. Idempotent."""
        if self._holders.get(attempt_id) is holder:
            del self._holders[attempt_id]


phone_lines = PhoneLines()
