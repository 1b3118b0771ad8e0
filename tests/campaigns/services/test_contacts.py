from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError

from campaigns import services
from campaigns.enums import DuplicatePolicy
from campaigns.models import Contact, ContactList
from tests.calls import rows as call_rows
from tests.campaigns.rows import make_contact

pytestmark = pytest.mark.django_db


def test_a_contact_is_stored_once_and_comes_on_its_lists() -> None:
    group = ContactList.objects.create(name="Spring")
    made = [services.add_contact("(212) 555-0100", default_region="US", name="Ada", lists=[group.pk]) for _ in range(2)]
    assert [is_new for _, is_new in made] == [True, False]
    assert list(group.contacts.values_list("e164", "name")) == [("+12125550100", "Ada")]


@pytest.mark.parametrize(
    ("columns", "field"),
    [({"region": "Florida"}, "region"), ({"time_zone": "Mars"}, "time_zone"), ({"lists": [uuid4()]}, "lists"),
     ({"name": "x" * 201}, "name"), ({"fields": {str(number): "" for number in range(101)}}, "fields")],
)  # fmt: skip
def test_what_is_wrong_with_a_contact_is_told_by_field(columns: dict[str, object], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        services.add_contact("+12125550100", **columns)  # type: ignore[arg-type]
    assert list(refused.value.message_dict) == [field]
    assert not Contact.objects.exists()


def test_of_many_contacts_the_good_ones_are_stored() -> None:
    make_contact("+12125550100", name="Old", fields={"a": "1"})
    taken = services.add_contacts(
        [("+12125550100", {"name": "New", "fields": {"b": "2"}}), ("+12125550101", {}), ("x", {})],
        policy=DuplicatePolicy.UPDATE,
    )
    assert (taken.created, taken.updated, taken.known) == (1, 1, 0)
    assert taken.refused == [(2, "number: x is no telephone number")]
    assert Contact.objects.filter(name="New", fields={"a": "1", "b": "2"}).count() == 1


def test_a_campaign_is_drafted_or_refused_by_field() -> None:
    agent = call_rows.agent()
    draft = services.draft_campaign({"name": "Spring", "agent_id": agent.pk}, lists=[], caller_ids=[])
    assert (draft.status, draft.agent) == ("draft", agent)
    with pytest.raises(ValidationError) as refused:
        services.draft_campaign({"name": "Spring", "agent_id": agent.pk, "kind": "x"}, lists=[], caller_ids=[])
    assert set(refused.value.message_dict) == {"name", "kind"}
