"""What tools reach of the world, and the line that is none."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from msgspec import Struct

from calls.engine.toolspec import Destination
from calls.errors import ToolRefusedError
from calls.runner.ports import Line

_NO_TELEPHONE = "This conversation has no telephone line, so {} is not possible here. Say so, and go on."


class NoTelephone:
    """The line of the console and of simulations: it refuses politely."""

    is_telephone = False

    async def suppress(self, words: str) -> None:
        """Refuse."""
        del words
        raise ToolRefusedError(_NO_TELEPHONE.format("suppressing a number"))

    async def transfer(self, destination: Destination) -> None:
        """Refuse."""
        del destination
        raise ToolRefusedError(_NO_TELEPHONE.format("a transfer"))

    async def consult(self, destination: Destination, summary: str) -> None:
        """Refuse."""
        del destination, summary
        raise ToolRefusedError(_NO_TELEPHONE.format("a transfer"))

    async def is_consultation_accepted(self) -> bool:
        """Say that nobody is being called."""
        return False


async def _no_secret(name: str) -> str | None:
    del name
    return None


def _utc_now() -> datetime:
    return datetime.now(UTC)


class ToolAccess(Struct, frozen=True, kw_only=True):
    """What an installation and a door give the tools of one call.

    ``find_secret`` gives a secret by its name. ``allow_loopback`` lets HTTP tools reach this machine, for development.
    ``time_zone`` is the caller's where the variable ``time_zone`` names none. ``wall`` tells the time of day.
    """

    line: Line = NoTelephone()
    find_secret: Callable[[str], Awaitable[str | None]] = _no_secret
    allow_loopback: bool = False
    time_zone: str = "UTC"
    wall: Callable[[], datetime] = _utc_now
