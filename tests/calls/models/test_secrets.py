import pytest
from django.core.exceptions import ValidationError

from calls.models import Secret


@pytest.mark.parametrize("value", ["two\nlines", " padded", "café", ""])
def test_a_value_that_no_header_can_carry_is_refused(value: str) -> None:
    with pytest.raises(ValidationError):
        Secret(name="shop", value=value).clean_fields()


def test_a_secret_shows_its_name_only() -> None:
    assert str(Secret(name="shop", value="Bearer abc")) == "shop"
