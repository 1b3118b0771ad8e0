from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError

from campaigns import services
from campaigns.models import SavedFilter
from campaigns.services import filters

pytestmark = pytest.mark.django_db

PAGE = "campaigns.contact"


@pytest.fixture
def kim() -> Any:
    return get_user_model().objects.create(username="kim")


def test_a_filter_keeps_what_the_list_is_and_forgets_the_page(kim: Any) -> None:
    saved = services.save_filter(PAGE, name=" New York ", query="region=US-NY&p=3&q=An", by=kim)
    assert (saved.name, saved.query) == ("New York", "region=US-NY&q=An")


def test_a_name_that_is_there_gets_the_new_query(kim: Any) -> None:
    first = services.save_filter(PAGE, name="Mine", query="region=US-NY", by=kim)
    again = services.save_filter(PAGE, name="Mine", query="region=US-FL", by=kim)
    assert (again.pk, SavedFilter.objects.get().query) == (first.pk, "region=US-FL")


@pytest.mark.parametrize(
    ("name", "query", "complaint"),
    [("  ", "region=US", "a name"), ("All", "p=2", "Nothing is filtered"), ("Long", "q=" + "x" * 1000, "at most 1000")],
)
def test_a_filter_that_makes_no_sense_is_refused(kim: Any, name: str, query: str, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        services.save_filter(PAGE, name=name, query=query, by=kim)


def test_nobody_keeps_filters_without_end(kim: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "MOST", 1)
    services.save_filter(PAGE, name="One", query="q=1", by=kim)
    with pytest.raises(ValidationError, match="delete one first"):
        services.save_filter(PAGE, name="Two", query="q=2", by=kim)


def test_only_ones_own_filters_are_deleted(kim: Any) -> None:
    saved = services.save_filter(PAGE, name="One", query="q=1", by=kim)
    other = get_user_model().objects.create(username="other")
    assert [services.delete_filter(saved.pk, by=person) for person in (other, kim, kim)] == [False, True, False]


def test_one_s_own_filters_are_renamed_and_shared(kim: Any) -> None:
    saved = services.save_filter(PAGE, name="One", query="q=1", by=kim)
    other = get_user_model().objects.create(username="other")
    assert not services.change_filter(saved.pk, name="Two", is_shared=True, by=other)
    assert not SavedFilter.objects.seen_by(other.pk, PAGE).exists()
    assert services.change_filter(saved.pk, name=" Two ", is_shared=True, by=kim)
    assert [row.name for row in SavedFilter.objects.seen_by(other.pk, PAGE)] == ["Two"]
    with pytest.raises(ValidationError, match="a name"):
        services.change_filter(saved.pk, name=" ", is_shared=True, by=kim)
