from calls.sandbox.catalogue import PersonaKind, persona_of
from campaigns.contacts import is_fictional
from campaigns.demo import DEMO_PEOPLE, DEMO_RETRIES
from campaigns.pacing import read_retry_policy


def test_every_number_is_one_that_no_telephone_has() -> None:
    assert [person.number for person in DEMO_PEOPLE if not is_fictional(person.number)] == []
    assert len({person.number for person in DEMO_PEOPLE}) == len(DEMO_PEOPLE)


def test_it_meets_nearly_everybody_whom_the_sandbox_has() -> None:
    met = {persona_of(person.number) for person in DEMO_PEOPLE}
    colleagues = {PersonaKind.COLLEAGUE, PersonaKind.COLLEAGUE_WHO_DECLINES}
    assert set(PersonaKind) - met == {PersonaKind.NOISE, PersonaKind.OPT_OUT_KEY, *colleagues}


def test_the_sandbox_s_people_are_open_for_calls_and_retried_within_seconds() -> None:
    policy = read_retry_policy(DEMO_RETRIES)
    assert max(retry.after_seconds for retry in policy.values()) <= 30
