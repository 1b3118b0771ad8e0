"""A time at which the caller wants to be called again."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct

from calls.enums import BuiltInTool
from calls.errors import ToolRefusedError
from calls.runner.tools.base import Outcome, describe, read_as

LATEST = timedelta(days=60)
_SOONEST = timedelta(minutes=1)


def zone_of(name: str, otherwise: str) -> ZoneInfo:
    """Give a zone by its IANA name, else the other one."""
    for wanted in (name, otherwise):
        try:
            return ZoneInfo(wanted)
        except (OSError, ValueError, KeyError):  # an unknown name, a folder's name, no name
            continue
    return ZoneInfo("UTC")


class _Callback(Struct, frozen=True):
    at: str
    words: Annotated[str, Meta(max_length=500)] = ""


class ScheduleCallback:
    """Note a wish. Whoever placed the call reads it afterwards from the event ``callback_requested``.

    ``at`` in the event is ISO 8601 with the offset of the caller's zone.
    """

    name, seconds, filler = BuiltInTool.SCHEDULE_CALLBACK.value, 5.0, ""

    def __init__(self, zone: ZoneInfo, wall: Callable[[], datetime], note: Callable[[Mapping[str, Any]], None]) -> None:
        self._zone = zone
        self._wall = wall
        self._note = note

    def describe(self) -> Mapping[str, Any]:
        """Describe it, with the time that it is for the caller."""
        now = self._wall().astimezone(self._zone)
        text = (
            f"Note when the caller wants to be called again. For the caller it is now {now:%A, %Y-%m-%d %H:%M} "
            f"({self._zone.key}). Repeat day and time to the caller."
        )
        properties = {
            "at": {"type": "string", "description": "The caller's local time, such as 2026-03-05T14:30."},
            "words": {"type": "string", "description": "How the caller said it, word for word."},
        }
        return describe(self.name, text, properties)

    async def use(self, arguments: str) -> Outcome:
        """Check the time and note it."""
        wish = read_as(arguments, _Callback)
        at = self._read(wish.at)
        now = self._wall()
        shown = f"For the caller it is now {now.astimezone(self._zone):%A, %Y-%m-%d %H:%M}."
        if at < now + _SOONEST:
            message = f"{wish.at} has passed. {shown} Ask for a time in the future."
            raise ToolRefusedError(message)
        if at > now + LATEST:
            message = f"{wish.at} is too far away. {shown} Ask for a time within {LATEST.days} days."
            raise ToolRefusedError(message)
        self._note({"at": at.isoformat(timespec="minutes"), "zone": self._zone.key, "words": wish.words.strip()})
        return Outcome(result=f"Noted: {at:%A, %Y-%m-%d %H:%M}.", detail={"at": at.isoformat(timespec="minutes")})

    def _read(self, text: str) -> datetime:
        """Read a local time, or one with an offset; of an hour that the clock has twice, the first."""
        try:
            at = datetime.fromisoformat(text.strip())
        except ValueError:
            message = f"'{text[:60]}' is no time; write it like 2026-03-05T14:30"
            raise ToolRefusedError(message) from None
        if "T" not in text.strip().upper() and " " not in text.strip():
            message = f"'{text[:60]}' has no time of day; ask for one, and write it like 2026-03-05T14:30"
            raise ToolRefusedError(message)
        if at.tzinfo is None:
            at = at.replace(tzinfo=self._zone)
        try:
            # By way of UTC, so that an hour which the clock leaves out becomes the one after it.
            return at.astimezone(UTC).astimezone(self._zone)
        except OverflowError:
            message = f"'{text[:60]}' is no time that a calendar has"
            raise ToolRefusedError(message) from None
