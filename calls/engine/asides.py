"""Events of what happens beside the talking: keys, words that somebody else wants said, tools that take their time."""

from msgspec import Struct

from calls.engine.phonecall import PhoneAction, PhoneEvent
from calls.enums import EndReason


class KeysPressed(Struct, frozen=True, gc=False):
    """The caller pressed keys, one soon after the other: a turn of his, though not of his voice."""

    keys: str

    @property
    def text(self) -> str:
        """Say it as the model reads it: ``Pressed 1 2``."""
        return f"Pressed {' '.join(self.keys)}"


class LineGiven(Struct, frozen=True, gc=False):
    """Say this now, whatever is being said. ``ends``: it is the last thing, and why the call is over after it.

    ``holds``: the caller waits for something from now on, so nobody asks into the silence, until the next given line.
    """

    text: str
    ends: EndReason | None = None
    holds: bool = False


class ToolDelayed(Struct, frozen=True, gc=False):
    """A tool of this reply takes its time: say ``text`` while it works."""

    reply: int
    text: str


Aside = KeysPressed | LineGiven | ToolDelayed | PhoneEvent
AsideAction = PhoneAction
