from calls.sandbox.catalogue import CATALOGUE, PersonaKind, persona_of
from calls.telephony.carriers import FICTIONAL


def test_every_persona_has_a_number_of_the_range_for_fiction_and_lives_there() -> None:
    assert {listing.kind for listing in CATALOGUE} == set(PersonaKind)
    assert {persona_of(listing.number): listing.kind for listing in CATALOGUE} == {kind: kind for kind in PersonaKind}
    assert all(FICTIONAL.fullmatch(listing.number) for listing in CATALOGUE)
    assert CATALOGUE[0].number == "+15005550101"


def test_the_last_two_digits_decide_in_every_area() -> None:
    assert {persona_of(f"+1{area}5550106") for area in (212, 500, 987)} == {PersonaKind.VOICEMAIL}
    assert [persona_of(f"+15005550{line}") for line in (100, 120, 119, 198)] == [
        PersonaKind.INTERESTED, PersonaKind.INTERESTED, PersonaKind.NO_ANSWER, PersonaKind.COLLEAGUE_WHO_DECLINES,
    ]  # fmt: skip


def test_a_list_of_a_hundred_numbers_meets_everybody() -> None:
    assert {persona_of(f"+15005550{line}") for line in range(100, 200)} == set(PersonaKind)
