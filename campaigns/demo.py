"""What an empty installation starts with: a campaign that calls the sandbox's people, and a few whom it may not."""

from msgspec import Struct

DEMO_CAMPAIGN = "Demo: sandbox calls"
DEMO_LIST = "Demo: people of the sandbox"
SHUT_REGION = "ZZ-SHU"
"""ZZ is left to users by ISO 3166-1; here a rule forbids calls on every day of the week."""
SHUT_RULE_NOTE = "A place of the demo where nobody may ever be called, so that it shows a closed window."


class DemoPerson(Struct, frozen=True, kw_only=True):
    """A contact of the demo. The last two digits of the number decide who answers (``calls.sandbox.catalogue``)."""

    number: str
    name: str
    note: str
    region: str = "ZZ-SBX"
    time_zone: str = "America/New_York"
    is_suppressed: bool = False
    has_consent: bool = True


def _person(digits: int, name: str, note: str) -> DemoPerson:
    return DemoPerson(number=f"+15005550{digits}", name=name, note=note)


DEMO_PEOPLE = (
    _person(101, "Ines Moreno", "interested"),
    _person(103, "Pavel Novak", "finds it expensive"),
    _person(105, "Stella Quinn", "wants no more calls"),
    _person(114, "Bruno Castelli", "busy line"),
    _person(106, "Viola Meyer", "mailbox"),
    _person(113, "Nora Lindqvist", "does not pick up"),
    _person(102, "Billie Okafor", "has no time now"),
    _person(104, "Hugo Tanaka", "wants a human"),
    _person(112, "Gus Petrov", "hangs up"),
    _person(109, "Silas Grey", "says nothing"),
    _person(108, "Imani Works", "a menu answers"),
    _person(107, "Carl Sanders", "an assistant asks first"),
    _person(115, "Ivan Nobody", "no such number"),
    _person(121, "Ida Fontaine", "interested"),
    _person(110, "Sofia Speaker", "on a loudspeaker"),
    DemoPerson(number="+15005550122", name="Nina Never", note="asked long ago not to be called", is_suppressed=True),
    DemoPerson(number="+15005550124", name="Colin Noconsent", note="never agreed to a call", has_consent=False),
    DemoPerson(
        number="+15005550141", name="Wanda Windowless", note="lives where calls are forbidden", region=SHUT_REGION
    ),
)

DEMO_RETRIES = {
    "busy": {"retries": 1, "after_seconds": 20},
    "no_answer": {"retries": 1, "after_seconds": 20},
    "voicemail": {"retries": 0, "after_seconds": 0},
    "dropped": {"retries": 1, "after_seconds": 15},
}
