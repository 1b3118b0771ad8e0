"""The judge itself: what it must find, and what it must leave alone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.live.console_site import launch
from tests.live.judge import complaints

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright, launch(playwright, chromium) as started:
        yield started


@pytest.mark.parametrize(
    ("markup", "beginning"),
    [
        ("<main><button></button></main>", "button without a name: <button>"),
        ("<main><input></main>", "textbox without a name"),
        ("<main><p style='color: #999; background: #fff'>pale</p></main>", "too faint (2.8): pale"),
        ("<main><p style='opacity: 1; color: rgb(0 0 0 / 40%); background: #fff'>thin</p></main>", "too faint"),
        ("<main><div style='width: 2000px'>wide</div></main>", "too wide by"),
        ("<p>alone</p>", "no main landmark"),
    ],
)
def test_what_is_wrong_is_found(browser: Browser, markup: str, beginning: str) -> None:
    page = browser.new_page()
    page.set_content(f"<!doctype html>{markup}")
    [found] = complaints(page)
    page.close()
    assert found.startswith(beginning)


def test_a_page_as_it_should_be_is_left_alone(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content(
        "<!doctype html><main><label>Name <input></label><button aria-label='Close'></button>"
        "<p style='color: #595959; background: #fff'>grey</p><p style='display: none; color: #fff'>unseen</p></main>"
    )
    assert complaints(page) == []
    page.close()
