from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from campaigns import services
from campaigns.models import ApiKey
from tests.campaigns.rows import NOW

pytestmark = pytest.mark.django_db


def test_a_key_is_found_by_itself_alone_and_stored_nowhere() -> None:
    row, key = services.make_api_key(" CRM ", scopes=["calls:read"], by=None, at=NOW)
    assert services.find_api_key(key, now=NOW) == row
    for other in (key[:-1], key + "x", row.prefix, "", "\ud800"):
        assert services.find_api_key(other, now=NOW) is None
    stored = ApiKey.objects.get()
    assert (stored.name, stored.scopes, stored.used_at) == ("CRM", ["calls:read"], NOW)
    assert key not in str(vars(stored))


def test_a_revoked_or_expired_key_opens_nothing() -> None:
    row, key = services.make_api_key("a", scopes=["calls:read"], by=None, at=NOW)
    assert services.revoke_api_key(row.pk, at=NOW)
    assert not services.revoke_api_key(row.pk, at=NOW)
    assert services.find_api_key(key, now=NOW) is None
    _, short = services.make_api_key("b", scopes=["calls:read"], by=None, at=NOW, expires_at=NOW + timedelta(days=1))
    assert services.find_api_key(short, now=NOW)
    assert services.find_api_key(short, now=NOW + timedelta(days=1)) is None


@pytest.mark.parametrize(
    ("name", "scopes", "field"), [("", ["calls:read"], "name"), ("a", [], "scopes"), ("a", ["all"], "scopes")]
)
def test_what_is_wrong_with_a_key_is_told_by_field(name: str, scopes: list[str], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        services.make_api_key(name, scopes=scopes, by=None, at=NOW)
    assert list(refused.value.message_dict) == [field]
