"""Who plays on a call: persona, wording, voice and telephone, the same for the same number and attempt."""

from collections.abc import Callable
from enum import StrEnum
from zlib import crc32

from msgspec import Struct

from calls.sandbox.catalogue import PersonaKind, persona_of
from calls.sandbox.person import Line
from calls.sandbox.personas.scripts import (
    accept_transfer,
    decline_transfer,
    hang_up_early,
    offer_menu,
    press_opt_out,
    record_message,
    say_nothing,
    screen,
    talk,
)
from calls.sandbox.personas.wordings import WORDINGS, Wording
from calls.sandbox.steps import Script


class Outcome(StrEnum):
    """What becomes of a dialled number, in Twilio's words where it has some."""

    ANSWERED = "in-progress"
    NO_ANSWER = "no-answer"
    BUSY = "busy"
    REFUSED = "refused"


_OUTCOMES = {
    PersonaKind.NO_ANSWER: Outcome.NO_ANSWER,
    PersonaKind.BUSY_LINE: Outcome.BUSY,
    PersonaKind.INVALID: Outcome.REFUSED,
}
_SCRIPTS: dict[PersonaKind, Callable[[Wording], Script]] = {
    PersonaKind.VOICEMAIL: record_message,
    PersonaKind.SCREENING: screen,
    PersonaKind.IVR: offer_menu,
    PersonaKind.SILENCE: say_nothing,
    PersonaKind.COLLEAGUE: accept_transfer,
    PersonaKind.COLLEAGUE_WHO_DECLINES: decline_transfer,
    PersonaKind.OPT_OUT_KEY: press_opt_out,
    PersonaKind.HANGS_UP: hang_up_early,
}
_LINES = {
    PersonaKind.SPEAKERPHONE: Line(echo_db=-22, echo_ms=180, noise_dbfs=-62),
    PersonaKind.NOISE: Line(noise_dbfs=-36),
}
_VOICES = ("en-us+f5", "en-us+f2", "en-us+m6", "en-us+f1", "en-us+m5")
"""Those of the synthesiser that the local recogniser understands best over a telephone: of the script's words
it mistakes 9 to 19 in a hundred, with others up to 58."""
_SHORTEST_RINGING, _RINGING_STEP = 1.0, 0.5


class Casting(Struct, frozen=True, kw_only=True):
    """What happens when a number is dialled. ``lines`` are all that may be said, for the voice to prepare."""

    kind: PersonaKind
    outcome: Outcome
    ring_seconds: float
    lines: Wording
    voice: str
    line: Line

    def script(self) -> Script:
        """Begin the play."""
        return _SCRIPTS.get(self.kind, talk)(self.lines)


def cast(number: str, attempt: int) -> Casting:
    """Choose by the number and by which attempt at it this is, from 0: one attempt after the other, all wordings."""
    kind = persona_of(number)
    choice = crc32(number.encode())
    wordings = WORDINGS[kind]
    return Casting(
        kind=kind,
        outcome=_OUTCOMES.get(kind, Outcome.ANSWERED),
        ring_seconds=_SHORTEST_RINGING + _RINGING_STEP * (choice % 4),
        lines=wordings[(choice + attempt) % len(wordings)],
        voice=_VOICES[choice % len(_VOICES)],
        line=_LINES.get(kind, Line()),
    )
