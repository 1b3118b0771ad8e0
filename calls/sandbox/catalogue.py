"""Who lives at the sandbox's numbers. No word of theirs stands here: the web process reads this list."""

from enum import StrEnum

from msgspec import Struct


class PersonaKind(StrEnum):
    """What one meets at the other end."""

    INTERESTED = "interested"
    BUSY = "busy"
    PRICE = "price"
    WANTS_A_HUMAN = "wants_a_human"
    STOP_CALLING = "stop_calling"
    VOICEMAIL = "voicemail"
    SCREENING = "screening"
    IVR = "ivr"
    SILENCE = "silence"
    SPEAKERPHONE = "speakerphone"
    NOISE = "noise"
    HANGS_UP = "hangs_up"
    NO_ANSWER = "no_answer"
    BUSY_LINE = "busy_line"
    INVALID = "invalid"
    COLLEAGUE = "colleague"
    OPT_OUT_KEY = "opt_out_key"
    COLLEAGUE_WHO_DECLINES = "colleague_who_declines"


class Listing(Struct, frozen=True):
    """A persona as an operator sees it."""

    kind: PersonaKind
    title: str
    explanation: str

    @property
    def number(self) -> str:
        """A number at which it is reached."""
        return f"+15005550{100 + _PLACES.index(self.kind, 1)}"


CATALOGUE = (
    Listing(PersonaKind.INTERESTED, "Interested", "Has a minute, asks something, and agrees to an appointment."),
    Listing(PersonaKind.BUSY, "Busy", "Is in the middle of something and wants to be left alone for now."),
    Listing(PersonaKind.PRICE, "Price objection", "Asks what it costs and finds it too much."),
    Listing(PersonaKind.WANTS_A_HUMAN, "Wants a human", "Asks whether this is a machine, and for a person."),
    Listing(PersonaKind.STOP_CALLING, "Says stop calling", "Wants no more calls, and says so."),
    Listing(PersonaKind.VOICEMAIL, "Voicemail", "A greeting, a beep, and then it records."),
    Listing(PersonaKind.SCREENING, "Call screening", "An assistant asks for name and purpose before anybody picks up."),
    Listing(PersonaKind.IVR, "Phone menu", "A company's menu that wants a key to be pressed."),
    Listing(PersonaKind.SILENCE, "Silence", "Somebody or something picks up and says nothing at all."),
    Listing(PersonaKind.SPEAKERPHONE, "Speakerphone", "The agent hears itself back, quieter and a moment later."),
    Listing(PersonaKind.NOISE, "Background noise", "Talks from a noisy place."),
    Listing(PersonaKind.HANGS_UP, "Hangs up", "Puts the receiver down in the middle of a sentence."),
    Listing(PersonaKind.NO_ANSWER, "No answer", "The telephone rings until the carrier gives up."),
    Listing(PersonaKind.BUSY_LINE, "Busy line", "The line is engaged."),
    Listing(PersonaKind.INVALID, "Invalid number", "The carrier refuses to dial it."),
    Listing(PersonaKind.COLLEAGUE, "Colleague", "Takes a call that is put through: listens, presses 1, and talks."),
    Listing(PersonaKind.OPT_OUT_KEY, "Presses 9", "Wants no more calls, and presses the key for it."),
    Listing(
        PersonaKind.COLLEAGUE_WHO_DECLINES,
        "Colleague who declines",
        "Listens to who is calling, and presses 2: not now.",
    ),
)

_PLACES = (
    PersonaKind.INTERESTED,
    *(listing.kind for listing in CATALOGUE),
    PersonaKind.NO_ANSWER,
)
"""By the last two digits, which repeat every twenty: 01 to 18 are the catalogue in its order; the rest fill up."""


def persona_of(number: str) -> PersonaKind:
    """Give who answers at a number of the sandbox, by its last two digits."""
    return _PLACES[int(number[-2:]) % len(_PLACES)]
