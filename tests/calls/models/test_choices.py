from calls.enums import SessionStatus
from calls.models.choices import choices


def test_a_vocabulary_becomes_choices_in_its_own_order() -> None:
    assert choices(SessionStatus) == [("live", "Live"), ("ended", "Ended")]
