"""The admin's menu, in the order of an operator's day. Whom a page is closed to does not see its entry."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from msgspec import Struct


class Entry(Struct, frozen=True):
    """One line of the menu: the page's name in the addresses, and any of the permissions that open it."""

    title: str
    icon: str
    page: str
    permissions: tuple[str, ...] = ()
    query: str = ""


def _list(title: str, icon: str, model: str) -> Entry:
    """Give the entry of a model's list."""
    app, _, name = model.partition(".")
    permissions = (f"{app}.view_{name}", f"{app}.change_{name}")
    return Entry(title, icon, f"admin:{app}_{name}_changelist", permissions)


MENU: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    ("", (Entry("Overview", "monitoring", "admin:index"),)),
    (
        "Campaigns",
        (
            _list("Campaigns", "campaign", "campaigns.campaign"),
            _list("Who is called", "groups", "campaigns.campaigncontact"),
            _list("Events", "history", "campaigns.campaignevent"),
        ),
    ),
    (
        "Contacts",
        (
            _list("Contacts", "contacts", "campaigns.contact"),
            _list("Lists", "list_alt", "campaigns.contactlist"),
            _list("Imports", "upload_file", "campaigns.contactimport"),
            _list("Exports", "download", "campaigns.export"),
            _list("Bulk jobs", "dynamic_feed", "campaigns.bulkjob"),
        ),
    ),
    (
        "Calls",
        (
            Entry("Live calls", "sensors", "live-calls", ("calls.view_callattempt",)),
            _list("Conversations", "forum", "calls.callsession"),
            _list("Telephone calls", "call", "calls.callattempt"),
            _list("Analyses", "psychology", "campaigns.callanalysis"),
            Entry("Call one number", "dialpad", "admin:campaigns_call_once", ("campaigns.call_once",)),
        ),
    ),
    (
        "Agents",
        (
            _list("Agents", "support_agent", "calls.agent"),
            Entry("Talk to an agent", "mic", "console", ("calls.view_agent",)),
            Entry("Call a persona", "theater_comedy", "call-persona", ("calls.add_callattempt",)),
        ),
    ),
    (
        "Compliance",
        (
            _list("Suppressed numbers", "phone_disabled", "calls.suppression"),
            _list("Consents", "verified_user", "campaigns.consent"),
            _list("Rules", "gavel", "campaigns.compliancerule"),
            _list("Do-not-call lists", "block", "campaigns.donotcalllist"),
        ),
    ),
    (
        "Settings",
        (
            _list("Caller IDs", "call_made", "campaigns.callerid"),
            _list("Prices", "payments", "campaigns.pricerow"),
            _list("Secrets", "key", "calls.secret"),
            _list("Webhooks", "webhook", "campaigns.webhookendpoint"),
            _list("Webhook log", "outbox", "campaigns.webhookmessage"),
            _list("API keys", "key", "campaigns.apikey"),
            _list("People", "person", "auth.user"),
            _list("Roles", "admin_panel_settings", "auth.group"),
            Entry("Changes", "manage_history", "admin:admin_logentry_changelist", ("admin.view_logentry",)),
        ),
    ),
)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Give the groups of the menu with what this user may open, as the theme wants them."""
    groups = []
    for title, entries in MENU:
        shown = [_item(entry) for entry in entries if may_open(request, entry)]
        if shown:
            groups.append({"title": title, "items": shown, "separator": bool(title)})
    return groups


def may_open(request: HttpRequest, entry: Entry) -> bool:
    """Whether any permission of the entry is held; one without permissions is open to all staff."""
    return not entry.permissions or any(request.user.has_perm(name) for name in entry.permissions)


def _item(entry: Entry) -> dict[str, Any]:
    link = reverse(entry.page) + (f"?{entry.query}" if entry.query else "")
    return {"title": entry.title, "icon": entry.icon, "link": link}
