"""What a persona can do, as a script yields it: ``answer = yield Listen()``."""

from collections.abc import Generator

from msgspec import Struct


class Say(Struct, frozen=True):
    """Speak a line, or only its first ``share``."""

    text: str
    share: float = 1.0


class Wait(Struct, frozen=True):
    """Do nothing, whatever is heard."""

    ms: float


class Beep(Struct, frozen=True):
    """The tone after which one speaks."""

    ms: float = 400
    hz: float = 1000


class Ring(Struct, frozen=True):
    """The ringing that one hears while being put through."""

    ms: float


class Listen(Struct, frozen=True, kw_only=True):
    """Let the other side finish: go on when it has spoken and then been quiet, pressed a key, or is too late."""

    quiet_ms: float = 900
    at_most_ms: float = 12_000
    most_speech_ms: float = 60_000
    """Go on in the middle of its words after so much of them."""
    stops_at_key: bool = False


class Verdict(Struct, frozen=True):
    """What the carrier's answering machine detection makes of this, in Twilio's words."""

    answered_by: str


class Press(Struct, frozen=True):
    """Press a key."""

    digit: str


class HangUp(Struct, frozen=True):
    """Put the receiver down."""


class Heard(Struct, frozen=True):
    """What came of listening."""

    has_spoken: bool = False
    key: str = ""


Step = Say | Wait | Beep | Ring | Listen | Verdict | Press | HangUp
Script = Generator[Step, Heard, None]
