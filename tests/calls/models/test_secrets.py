import pytest
from django.core.exceptions import ValidationError

from calls.models import Secret
from calls.models.secrets import one_line
from vantum.sealing import seal


@pytest.mark.parametrize("value", ["two\nlines", " padded", "café", ""])
def test_a_value_that_no_header_can_carry_is_refused(value: str) -> None:
    with pytest.raises(ValidationError):
        one_line(value)


def test_a_secret_shows_its_name_only() -> None:
    assert str(Secret(name="shop", sealed=seal("Bearer abc"))) == "shop"


@pytest.mark.django_db
def test_the_database_does_not_hold_the_value() -> None:
    Secret.objects.create(name="shop", sealed=seal("Bearer abc"))
    [row] = Secret.objects.values()
    assert "Bearer" not in str(row)
    assert Secret.objects.get().value == "Bearer abc"
