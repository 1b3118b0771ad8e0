"""Every page that ``bench_admin`` asks for: each list of the admin with all that can be chosen in it, and the API's."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth import get_user_model
from django.db.models import Model
from django.test import RequestFactory
from django.urls import reverse
from django.utils.timezone import localdate

from calls.models import Agent, CallAttempt, CallSession
from campaigns.models import BulkJob, CallAnalysis, Campaign, Contact, ContactImport, ContactList
from vantum.admin_bases import RangeDateFilter

SEARCHES: dict[str, tuple[str, ...]] = {
    "contact": ("Gina 99", "Zoe", "21200499", "+12120001234"),
    "callsession": ("Seldom", "roof", "hippopotamus", "nobody said this"),
    "callanalysis": ("roof", "giraffe", "nobody wrote this"),
    "callattempt": ("+121200499", "+999", "CA4711"),
    "logentry": ("Gina 99", "Zoe", "boss"),
    "suppression": ("+121200499", "00499", "999999"),
    "campaigncontact": ("+121200499", "+999", "1212"),
    "consent": ("+121200499", "+999", "+1212"),
}
"""What is typed: what many rows have, what one has, what none has."""
_MOST_CHOICES = 8


def listed(model: str, query: str = "") -> str:
    """Give the address of a model's list."""
    kind = next(kind for kind in admin.site._registry if kind._meta.model_name == model)
    return reverse(f"admin:{kind._meta.app_label}_{model}_changelist") + query


def lists() -> Iterator[tuple[str, str]]:
    """Give name and address of each list as it is, its later pages, and with each choice, order and search."""
    boss = get_user_model().objects.get(username="boss")
    for kind, model_admin in sorted(admin.site._registry.items(), key=lambda item: item[0]._meta.label):
        name = str(kind._meta.model_name)
        address = listed(name)
        request = RequestFactory().get(address)
        request.user = boss
        shown = model_admin.get_changelist_instance(request)
        queries = ["", *_pages(shown), *_choices(shown), *_orders(shown), *_sought(name, shown)]
        for query in queries:
            yield f"{name} {query}", address + (f"?{query}" if query else "")


def _pages(shown: ChangeList) -> list[str]:
    return [f"p={number}" for number in (50, shown.paginator.num_pages) if number <= shown.paginator.num_pages]


def _choices(shown: ChangeList) -> Iterator[str]:
    specs: list[Any] = list(shown.filter_specs)
    today = localdate()
    for spec in specs:
        name = getattr(spec, "parameter_name", None) or spec.lookup_kwarg
        if isinstance(spec, RangeDateFilter):
            for days in (0, 7, 3000):
                end = today - timedelta(days=days if days > 7 else 0)
                yield urlencode({f"{name}_from": today - timedelta(days=days), f"{name}_to": end})
            continue
        found = getattr(spec, "lookup_choices", None) or getattr(getattr(spec, "field", None), "flatchoices", ())
        for choice in list(found or ((1, "yes"), (0, "no")))[:_MOST_CHOICES]:
            yield urlencode({name: choice[0]})


def _orders(shown: ChangeList) -> Iterator[str]:
    for index, name in enumerate(shown.list_display):
        if shown.get_ordering_field(name) and name in (shown.sortable_by or ()):
            yield from (f"o={index}", f"o=-{index}")


def _sought(name: str, shown: ChangeList) -> list[str]:
    return [urlencode({"q": words}) for words in SEARCHES.get(name, ("a", "nobody") if shown.search_fields else ())]


def narrowed(large: Campaign, few: Campaign) -> Iterator[tuple[str, str]]:
    """Give lists that are narrowed more than once, and those to which other pages lead."""
    member = {"who is called": {}, "waits for consent": {"state": "waiting", "held": "no_consent"}}
    member |= {"claimed": {"state": "claimed"}, "busy lines": {"state": "finished", "outcome": "busy"}}
    for campaign in (large, few):
        for name, query in member.items():
            yield f"{campaign}: {name}", listed("campaigncontact", "?" + urlencode({"campaign": campaign.pk, **query}))
        contacts = {"campaign": campaign.pk, "status": "active", "consent": "none"}
        yield f"{campaign}: contacts without consent", listed("contact", "?" + urlencode(contacts))
        yield f"{campaign}: events", listed("campaignevent", f"?campaign={campaign.pk}")
        group = campaign.lists.get()
        yield f"{campaign}: contacts of its list", listed("contact", f"?list={group.pk}")
        yield f"{campaign}: suppressed of its list", listed("contact", f"?list={group.pk}&suppressed=yes&q=Gina")


def pages(large: Campaign) -> Iterator[tuple[str, str]]:
    """Give pages of one thing each."""
    first = Contact.objects.order_by("pk")[0]
    called = [row.pk for row in (CallAttempt.objects.order_by("pk")[0], CallSession.objects.order_by("pk")[3])]
    yield "overview", reverse("admin:index")
    yield "one contact with its history", reverse("admin:campaigns_contact_change", args=[first.pk])
    yield "campaign page", reverse("admin:campaigns_campaign_page", args=[large.pk])
    yield "campaign page, its refresh", reverse("admin:campaigns_campaign_numbers", args=[large.pk])
    yield "campaign's form", reverse("admin:campaigns_campaign_change", args=[large.pk])
    yield "new campaign's form", reverse("admin:campaigns_campaign_add")
    yield "telephone call", reverse("admin:calls_callattempt_change", args=[called[0]])
    yield "conversation", reverse("admin:calls_callsession_change", args=[called[1]])
    yield "analysis", reverse("admin:campaigns_callanalysis_change", args=[CallAnalysis.objects.order_by("pk")[0].pk])
    yield "agent", reverse("admin:calls_agent_change", args=[Agent.objects.order_by("pk")[0].pk])
    yield "list", reverse("admin:campaigns_contactlist_change", args=[ContactList.objects.order_by("pk")[0].pk])
    yield "import", reverse("admin:campaigns_contactimport_change", args=[ContactImport.objects.all()[0].pk])
    yield "job", reverse("admin:campaigns_bulkjob_change", args=[BulkJob.objects.all()[0].pk])


def api_pages(large: Campaign) -> Iterator[tuple[str, str]]:
    """Give the API's pages: first, in the middle, narrowed, and one row of each kind."""
    root, last = "/api/v1", "limit=500"
    contacts, calls = Contact.objects.order_by("pk"), CallAttempt.objects.order_by("pk")
    middle: dict[str, Model] = {"contacts": contacts[contacts.count() // 2], "calls": calls[calls.count() // 2]}
    for name in ("contacts", "lists", "campaigns", "calls", "suppressions"):
        yield f"API {name}", f"{root}/{name}"
        yield f"API {name}, 500 of them", f"{root}/{name}?{last}"
    for name, row in middle.items():
        yield f"API {name}, in the middle", f"{root}/{name}?after={row.pk}"
        yield f"API one of {name}", f"{root}/{name}/{row.pk}"
    groups: Any = {name: ContactList.objects.get(name=name) for name in ("Large", "Few")}
    for name, group in groups.items():
        yield f"API contacts of list {name}", f"{root}/contacts?list_id={group.pk}"
    for number in ("2120049", "+12120049999", "999"):
        yield f"API contacts with {number}", f"{root}/contacts?{urlencode({'number': number})}"
    yield "API calls to a number", f"{root}/calls?{urlencode({'number': '+12120000003'})}"
    yield "API suppressions of a number", f"{root}/suppressions?{urlencode({'number': '+12120000020'})}"
    yield "API transcript", f"{root}/calls/{middle['calls'].pk}/transcript"
    yield "API running campaigns", f"{root}/campaigns?status=running"
    yield "API campaign", f"{root}/campaigns/{large.pk}"
    yield "API campaign's numbers", f"{root}/campaigns/{large.pk}/numbers"
    yield "API campaign's events", f"{root}/campaigns/{large.pk}/events?{last}"


def large_and_few() -> tuple[Campaign, Campaign]:
    """Give the campaign of all contacts and that of few."""
    return Campaign.objects.get(name="Large"), Campaign.objects.get(name="Few")
