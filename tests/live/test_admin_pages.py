"""Every page of the admin in a real browser: it keeps to its policy, and an automatic judge has nothing against it."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from tests.live.console_site import Site, launch, running_site, tab
from tests.live.judge import complaints
from vantum.navigation import MENU

pytestmark = pytest.mark.live

_LIST = b"Name;Phone\nAnn;(212) 555-0142\n"

_LOGIN = """
import django
django.setup()
from django.contrib.auth import get_user_model
get_user_model().objects.create_superuser("boss", password="open")
from django.core.management import call_command
call_command("ensure_roles", verbosity=0, stdout=open("/dev/null", "w"))
call_command("ensure_demo", verbosity=0, stdout=open("/dev/null", "w"))
from django.urls import reverse
from django.utils import timezone
from calls.models import Agent
from campaigns import services
from campaigns.enums import JobKind
from campaigns.models import Campaign, Contact
from vantum.navigation import MENU
campaign, contact, agent = Campaign.objects.get(), Contact.objects.first(), Agent.objects.get()
job = services.start_job(JobKind.ARCHIVE, selection={"ids": []}, by=None, at=timezone.now())
for page in ("page", "change", "dry_run", "history", "delete"):
    print(reverse(f"admin:campaigns_campaign_{page}", args=[campaign.pk]))
for act in ("start", "pause", "resume", "abort"):
    print(reverse("admin:campaigns_campaign_act", args=[campaign.pk, act]))
for name, row in (("campaigns_contact", contact), ("calls_agent", agent), ("campaigns_bulkjob", job)):
    print(reverse(f"admin:{name}_change", args=[row.pk]))
print(reverse("admin:password_change"))
for _, entries in MENU:
    for entry in entries:
        print(reverse(entry.page))
from django.contrib import admin
for model in admin.site._registry:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_add"
    if admin.site._registry[model].__class__.has_add_permission is admin.ModelAdmin.has_add_permission:
        print(reverse(name))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("admin")) as site:
        yield site


@pytest.fixture(scope="module")
def paths(site: Site) -> list[str]:
    return site.python("-c", _LOGIN).decode().split()


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright, chromium: str) -> Iterator[Browser]:
    with launch(playwright, chromium) as started:
        yield started


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_every_page_keeps_to_its_policy_and_passes_the_judge(
    browser: Browser, site: Site, paths: list[str], width: int, scheme: str
) -> None:
    assert len(paths) >= sum(len(entries) for _, entries in MENU)
    viewport = {"width": width, "height": 844}
    with tab(browser, f"{site.url}/admin/", viewport=viewport, color_scheme=scheme) as shown:
        page = shown.page
        page.fill("#id_username", "boss")
        page.fill("#id_password", "open")
        page.click("button[type=submit]")
        page.wait_for_url(f"{site.url}/admin/")
        found = {}
        for path in paths:
            page.goto(site.url + path)
            page.wait_for_load_state("networkidle")
            found[path] = complaints(page)
        assert shown.problems == []
        assert {path: what for path, what in found.items() if what} == {}


def test_a_chosen_list_stays_out_of_the_other_fields(browser: Browser, site: Site, paths: list[str]) -> None:
    assert paths
    with tab(browser, f"{site.url}/admin/login/?next=/admin/campaigns/contactimport/add/") as shown:
        page = shown.page
        page.fill("#id_username", "boss")
        page.fill("#id_password", "open")
        page.click("button[type=submit]")
        page.set_input_files("#id_file", {"name": "people.csv", "mimeType": "text/csv", "buffer": _LIST})
        assert page.input_value("#id_region") == "US"
        page.click("text=Upload and look at it")
        page.wait_for_selector("text=Ann")
        assert shown.problems == []


def test_a_filter_of_the_calls_is_kept_renamed_and_deleted_by_keyboard(
    browser: Browser, site: Site, paths: list[str]
) -> None:
    assert paths
    listing = "/admin/calls/callattempt/?status__exact=busy"
    with tab(browser, f"{site.url}/admin/login/?next={quote(listing)}") as shown:
        page = shown.page
        page.fill("#id_username", "boss")
        page.fill("#id_password", "open")
        page.press("#id_password", "Enter")
        page.fill("#v-filter-name", "Busy")
        page.keyboard.press("Enter")
        expect(page.get_by_role("link", name="Busy", exact=True)).to_have_attribute("aria-current", "true")
        page.locator("summary[aria-label='Change the filter Busy']").press("Enter")
        page.get_by_label("Name", exact=True).fill("Try again")
        page.get_by_label("Others see it too").press("Space")
        page.get_by_role("button", name="Save", exact=True).press("Enter")
        expect(page.get_by_role("link", name="Try again shared")).to_be_visible()
        page.locator("summary[aria-label='Change the filter Try again']").press("Enter")
        assert complaints(page) == []
        page.get_by_role("button", name="Delete it").press("Enter")
        expect(page.get_by_role("link", name="Try again shared")).to_have_count(0)
        assert shown.problems == []
