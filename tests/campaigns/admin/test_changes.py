import pytest
from django.contrib.admin.models import LogEntry

from campaigns.models import CallerId, Contact
from tests.campaigns.admin.site import boss, in_role, logged_in, page_of
from tests.campaigns.rows import make_contact
from vantum.audit import values_of

pytestmark = pytest.mark.django_db

LIST = "/admin/admin/logentry/"


def test_an_edit_is_kept_with_its_values_and_shown_to_auditors() -> None:
    caller_id = CallerId.objects.create(e164="+12125550100", label="Office", daily_cap=10)
    address = page_of("callerid_change", caller_id.pk)
    logged_in(boss()).post(address, {"e164": "+12125550100", "label": "Hall", "daily_cap": "20", "is_active": "on"})
    entry = LogEntry.objects.get()
    assert values_of(entry.change_message) == {"label": ["Office", "Hall"], "daily_cap": [10, 20]}
    assert entry.get_change_message() == "Changed Label and Daily cap."
    auditor = logged_in(in_role("Auditor"))
    assert "boss" in auditor.get(LIST).content.decode()
    text = auditor.get(f"{LIST}{entry.pk}/change/").content.decode()
    assert [word for word in ("Office", "Hall", ">10<", ">20<") if word not in text] == []


def test_what_was_added_and_deleted_is_kept_too() -> None:
    client = logged_in(boss())
    client.post(page_of("callerid_add"), {"e164": "+12125550100", "label": "Office", "is_active": "on"})
    caller_id = CallerId.objects.get()
    client.post(page_of("callerid_delete", caller_id.pk), {"post": "yes"})
    deleted, added = (values_of(entry.change_message) for entry in LogEntry.objects.all())
    assert added["label"] == [None, "Office"]
    assert deleted["label"] == ["Office", None]


def test_operators_do_not_see_who_changed_what_and_nobody_edits_it() -> None:
    assert logged_in(in_role("Operator")).get(LIST).status_code == 403
    assert logged_in(boss()).get(f"{LIST}add/").status_code == 403


def test_a_changed_password_is_named_and_not_shown() -> None:
    user = boss()
    word = "another long word of its own"
    logged_in(user).post(
        f"/admin/auth/user/{user.pk}/password/", {"password1": word, "password2": word, "usable_password": "true"}
    )
    message = LogEntry.objects.get().change_message
    assert word not in message
    assert "password" in message.lower()


def test_a_contact_keeps_its_change_of_lists() -> None:
    contact = make_contact()
    empty = {"consents-TOTAL_FORMS": "0", "consents-INITIAL_FORMS": "0"}
    data = {"e164": contact.e164, "name": "Ann", "status": "active", "fields": "{}", **empty}
    logged_in(boss()).post(page_of("contact_change", contact.pk), data)
    assert values_of(LogEntry.objects.get().change_message) == {"name": ["", "Ann"]}
    assert Contact.objects.get().name == "Ann"
