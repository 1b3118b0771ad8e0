"""The pages of live calls in a real browser: a persona is called from one, and watched on another."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from tests.live.console_site import Site, Tab, launch, running_site, tab
from tests.processes import ROOT

pytestmark = pytest.mark.live

SECOND = 1000
SMALLEST_TARGET = """
() => [...document.querySelectorAll("a.button, button, select, label.persona, a.call, nav a")]
  .filter((element) => element.checkVisibility() && !element.classList.contains("skip"))
  .map((element) => [Math.round(element.getBoundingClientRect().height), element.textContent.trim()])
  .sort(([a], [b]) => a - b)[0]
"""
_LOGIN = """
import django
django.setup()
from django.contrib.auth import get_user_model
from django.test import Client
users = get_user_model().objects
boss, clerk = users.create_superuser("boss"), users.create_user("clerk", is_staff=True)
for user in (boss, clerk):
    browser = Client()
    browser.force_login(user)
    print(browser.cookies["sessionid"].value)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with the carrier beside it."""
    with running_site(tmp_path_factory.mktemp("live")) as site:
        carrier = subprocess.Popen(
            [sys.executable, "manage.py", "sandbox"], cwd=ROOT, env=site.env, stdout=subprocess.PIPE
        )
        try:
            assert carrier.stdout is not None
            assert b"listens" in carrier.stdout.readline()
            yield site
        finally:
            carrier.terminate()
            carrier.communicate()


@pytest.fixture(scope="module")
def logins(site: Site) -> list[str]:
    return site.python("-c", _LOGIN).decode().split()


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright, chromium: str) -> Iterator[Browser]:
    with launch(playwright, chromium) as started:
        yield started


def log_in(shown: Tab, site: Site, session: str) -> Page:
    shown.context.add_cookies([{"name": "sessionid", "value": session, "url": site.url}])
    return shown.page


def picture(page: Page, name: str) -> None:
    """Keep what a page looks like, where SCREENSHOTS names a folder."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder, f"{name}.png"), full_page=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("path", ["/live/", "/live/persona/"])
def test_the_pages_fit_keep_to_their_policy_and_can_be_touched(
    browser: Browser, site: Site, logins: list[str], path: str, width: int, scheme: Any
) -> None:
    with tab(browser, site.url, viewport={"width": width, "height": 844}, color_scheme=scheme) as shown:
        page = log_in(shown, site, logins[0])
        page.goto(site.url + path)
        page.wait_for_load_state("networkidle")
        picture(page, f"{path.strip('/').replace('/', '-')}-{width}-{scheme}")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        height, name = page.evaluate(SMALLEST_TARGET)
        assert height >= 44, f"{name}: {height} px"
        assert shown.problems == []


def test_who_may_not_see_calls_sees_none(browser: Browser, site: Site, logins: list[str]) -> None:
    with tab(browser, f"{site.url}/live/") as shown:
        expect(shown.page).to_have_url(re.compile("/admin/login/"))
        page = log_in(shown, site, logins[1])
        answer = page.goto(f"{site.url}/live/")
        assert answer is not None
        assert answer.status == 403


def test_a_persona_is_called_watched_and_hung_up(browser: Browser, site: Site, logins: list[str]) -> None:
    with tab(browser, site.url) as shown, tab(browser, site.url) as other:
        page, listing = log_in(shown, site, logins[0]), log_in(other, site, logins[0])
        listing.goto(f"{site.url}/live/")
        expect(listing.locator("#calls-heading")).to_have_text("Nobody is on the line")
        page.goto(f"{site.url}/live/persona/")
        page.get_by_role("radio", name="Interested").focus()
        for _ in range(2):
            page.keyboard.press("ArrowDown")
        expect(page.get_by_role("radio", name="Price objection")).to_be_checked()
        page.get_by_role("button", name="Call").press("Enter")
        expect(page.locator("h1")).to_have_text("+1 ••• ••• ••03")
        expect(listing.locator("#calls-heading")).to_have_text("1 on the line", timeout=10 * SECOND)
        expect(listing.locator(".call-number")).to_have_text("+1 ••• ••• ••03")
        expect(page.locator("#status")).to_have_text("In progress", timeout=15 * SECOND)
        expect(page.locator(".turn-agent").first).to_contain_text("Hello", timeout=20 * SECOND)
        expect(page.locator(".turn-caller").first).not_to_be_empty(timeout=30 * SECOND)
        expect(page.locator("#answered-by")).to_have_text("human", timeout=15 * SECOND)
        expect(page.locator("#latency")).to_contain_text(re.compile(r"ms|s$"), timeout=30 * SECOND)
        expect(page.locator("#clock")).to_have_text(re.compile(r"0:\d\d"))
        picture(page, "live-call-1280-light")
        page.set_viewport_size({"width": 390, "height": 844})
        picture(page, "live-call-390-light")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        picture(listing, "live-list-1280-light")
        listing.set_viewport_size({"width": 390, "height": 844})
        picture(listing, "live-list-390-light")
        page.get_by_role("button", name="Hang up").click()
        expect(page.locator("#status")).to_have_text("Completed", timeout=10 * SECOND)
        expect(page.locator("#outcome")).not_to_be_empty(timeout=10 * SECOND)
        expect(page.get_by_role("button", name="Hang up")).to_have_count(0)
        expect(page.locator(".turn").first).to_be_visible()
        picture(page, "live-over-390-light")
        expect(listing.locator("#calls-heading")).to_have_text("Nobody is on the line", timeout=10 * SECOND)
        page.get_by_role("link", name="Open the conversation").click()
        expect(page).to_have_url(re.compile("/admin/calls/callsession/.+/change/"))
        assert [problem for problem in shown.problems + other.problems if "live" in problem] == []


def test_a_refused_number_says_so_and_has_no_conversation(browser: Browser, site: Site, logins: list[str]) -> None:
    with tab(browser, site.url) as shown:
        page = log_in(shown, site, logins[0])
        page.goto(f"{site.url}/live/persona/?persona=invalid")
        page.get_by_role("button", name="Call").click()
        expect(page.locator("#status")).to_have_text("Not placed")
        expect(page.locator("#error")).to_contain_text("not every one")
        expect(page.get_by_role("link", name="Open the conversation")).to_have_count(0)
        expect(page.locator("#transcript-empty")).to_have_text("Nothing was said.")
