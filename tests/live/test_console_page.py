import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from tests.live.console_site import Site, launch, record_caller, running_site, tab

pytestmark = pytest.mark.live

OPENING = (
    "Hello there, this is Robin, the AI assistant of Northlight Solar. You asked us for a call about solar panels. "
    "Do you have a minute?"
)
SECOND = 1000
SMALLEST_TARGET = """
() => [...document.querySelectorAll("a, button, select, input:not([type=checkbox]), summary, label.check")]
  .filter((element) => element.checkVisibility() && !element.classList.contains("skip"))
  .map((element) => [Math.round(element.getBoundingClientRect().height), element.id || element.textContent.trim()])
  .sort(([a], [b]) => a - b)[0]
"""
FOCUSED = "document.activeElement.id || document.activeElement.textContent.trim()"
TURNS = """
import django
django.setup()
import json
from calls.models import CallSession
session = CallSession.objects.latest("started_at")
turns = [[turn.speaker, turn.text, turn.interrupted] for turn in session.turns.order_by("index")]
print(json.dumps([session.status, turns]))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("console")) as site:
        yield site


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright, chromium: str) -> Iterator[Browser]:
    with launch(playwright, chromium) as started:
        yield started


def start_typing_call(page: Page) -> None:
    page.uncheck("#with-microphone")
    page.click("#start")
    expect(page.locator("#state-word")).to_have_text("Agent speaks", timeout=15 * SECOND)


def turns(page: Page) -> list[str]:
    return page.locator("#transcript .turn").all_inner_texts()


def logged(page: Page) -> list[str]:
    return page.locator("#log-lines b").all_inner_texts()


# --- how it looks -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("path", ["/", "/console/"])
def test_pages_fit_keep_to_their_policy_and_can_be_touched(
    browser: Browser, site: Site, path: str, width: int, scheme: Any
) -> None:
    with tab(browser, site.url + path, viewport={"width": width, "height": 844}, color_scheme=scheme) as shown:
        page = shown.page
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        height, name = page.evaluate(SMALLEST_TARGET)
        assert height >= 44, f"{name}: {height} px"
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert dark == ("rgb(17, 20, 22)" if scheme == "dark" else "rgb(246, 247, 246)")
        assert shown.problems == []


def test_the_landing_page_shows_that_the_server_is_ready(browser: Browser, site: Site) -> None:
    with tab(browser, site.url) as shown:
        expect(shown.page.locator("#health-word")).to_have_text("Ready for calls")
        expect(shown.page.locator("#health-parts")).to_contain_text("Databasesqlite")


def test_the_theme_is_chosen_and_kept(browser: Browser, site: Site) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    with tab(browser, site.url, color_scheme="light") as shown:
        page = shown.page
        button = page.get_by_role("button", name="Colours: System. Switch to Light.")
        button.click()
        page.get_by_role("button", name="Colours: Light. Switch to Dark.").click()
        assert page.evaluate(background) == "rgb(17, 20, 22)"
        page.goto(f"{site.url}/console/")
        assert page.evaluate(background) == "rgb(17, 20, 22)"
        assert shown.problems == []


# --- without a mouse, without a microphone ----------------------------------------------------------------------------


def test_tab_goes_through_the_console_as_one_reads_it(browser: Browser, site: Site) -> None:
    with tab(browser, f"{site.url}/console/") as shown:
        order = []
        for _ in range(14):
            shown.page.keyboard.press("Tab")
            order.append(shown.page.evaluate(FOCUSED))
        assert order == [
            "Skip to the content", "Vantum", "Start", "Console", "Admin", "theme",
            "agent", "language", "variable-first_name", "with-microphone", "What this call runs on",
            "transcript-box", "start", "Event logempty",
        ]  # fmt: skip
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        assert shown.page.evaluate(outline) == "solid"


def test_a_whole_call_by_keyboard_alone(browser: Browser, site: Site) -> None:
    with tab(browser, f"{site.url}/console/") as shown:
        page = shown.page
        page.focus("#variable-first_name")
        page.keyboard.type("Ada")
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        page.focus("#start")
        page.keyboard.press("Enter")
        expect(page.locator("#state-word")).to_have_text("Agent speaks", timeout=15 * SECOND)
        expect(page.locator(".turn-agent").first).to_contain_text("Hello Ada, this is Robin")
        expect(page.locator("#words")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.locator(".turn-agent").first).to_contain_text("interrupted")
        page.keyboard.type("what does it cost")
        page.keyboard.press("Enter")
        expect(page.locator(".turn-caller")).to_contain_text("what does it cost")
        expect(page.locator(".turn-agent").nth(1)).to_contain_text("between nine and fourteen thousand dollars")
        expect(page.locator(".turn-latency")).to_contain_text("answered after", timeout=20 * SECOND)
        expect(page.locator("#latency-bars")).to_contain_text(re.compile(r"Total\d+ ms"))
        expect(page.locator("#announcer")).to_contain_text("You: what does it cost")
        page.focus("#start")
        page.keyboard.press("Enter")
        expect(page.locator("#transcript")).to_contain_text("Thank you for calling. Goodbye.")
        expect(page.locator("#state-word")).to_have_text("No call", timeout=15 * SECOND)
        expect(page.locator(".turn-note")).to_have_text("The call is over.")
        assert shown.problems == []


def test_the_log_is_filtered_and_copied(browser: Browser, site: Site) -> None:
    with tab(browser, f"{site.url}/console/", permissions=["clipboard-read", "clipboard-write"]) as shown:
        page = shown.page
        start_typing_call(page)
        page.click("#log summary")
        page.fill("#log-words", "audio.input")
        assert logged(page) == ["audio.input.start", "audio.input.start"]
        page.click("#log-copy")
        expect(page.locator("#log-said")).to_have_text("Copied.")
        copied = page.evaluate("navigator.clipboard.readText()").splitlines()
        assert [line.split()[1] for line in copied] == ["→", "←"]
        page.fill("#log-words", "")
        page.check("#log-audio")
        expect(page.locator("#log-lines")).to_contain_text("audio.output.chunk")
        page.click("#log-clear")
        expect(page.locator("#log-said")).to_have_text("Cleared.")


# --- what can go wrong ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("NotAllowedError", "The microphone is blocked for this page."),
        ("NotFoundError", "No microphone was found."),
        ("NotReadableError", "another program may be using it"),
    ],
)
def test_without_a_microphone_the_page_says_why_and_goes_on_by_typing(
    browser: Browser, site: Site, name: str, words: str
) -> None:
    refuse = f"navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException('no', '{name}'); }};"
    with tab(browser, f"{site.url}/console/", refuse) as shown:
        page = shown.page
        page.click("#start")
        expect(page.locator("#problem-text")).to_contain_text(words)
        page.get_by_role("button", name="Go on by typing").click()
        expect(page.locator("#words")).to_be_enabled(timeout=15 * SECOND)
        expect(page.locator("#problem")).to_be_hidden()
        assert shown.problems == []


def test_a_browser_that_refuses_the_microphone_is_believed(browser: Browser, site: Site) -> None:
    with tab(browser, f"{site.url}/console/") as shown:
        shown.page.click("#start")
        expect(shown.page.locator("#problem")).to_be_visible()
        expect(shown.page.locator("#start")).to_have_text("Start call")
        expect(shown.page.locator("#agent")).to_be_enabled()


def test_a_missing_value_is_asked_for_before_the_call(browser: Browser, site: Site) -> None:
    with tab(browser, f"{site.url}/console/") as shown:
        page = shown.page
        page.evaluate("document.getElementById('variable-first_name').required = true")
        page.click("#start")
        expect(page.locator("#variable-first_name")).to_be_focused()
        expect(page.locator("#start")).to_have_text("Start call")


def test_a_lost_server_is_waited_for_and_the_call_begins_anew(browser: Browser, tmp_path: Path) -> None:
    with running_site(tmp_path) as site, tab(browser, f"{site.url}/console/") as shown:
        page = shown.page
        start_typing_call(page)
        site.kill()
        expect(page.locator("#state-word")).to_have_text("Connection lost")
        expect(page.locator("#problem-text")).to_contain_text("Trying again in")
        expect(page.locator(".turn-note")).to_have_text("The connection was lost. A new call begins when it is back.")
        site.start()
        page.click("#retry")
        expect(page.locator("#state-word")).to_have_text("Agent speaks", timeout=15 * SECOND)
        expect(page.locator("#problem")).to_be_hidden()
        assert [turn.splitlines()[0] for turn in turns(page)] == [
            "Agent", "The connection was lost. A new call begins when it is back.", "Agent",
        ]  # fmt: skip


# --- speaking ---------------------------------------------------------------------------------------------------------


def test_the_level_is_shown_and_the_microphone_can_be_muted(playwright: Playwright, chromium: str, site: Site) -> None:
    flags = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    with (
        launch(playwright, chromium, *flags) as beeping,
        tab(beeping, f"{site.url}/console/", permissions=["microphone"]) as shown,
    ):
        page = shown.page
        level = page.locator("#meter")
        expect(level).to_have_attribute("aria-valuetext", "off")
        page.click("#start")
        expect(level).to_have_attribute("aria-valuetext", re.compile(r"[1-9]\d? percent"), timeout=15 * SECOND)
        page.get_by_role("button", name="Mute", exact=True).click()
        expect(level).to_have_attribute("aria-valuetext", "muted")
        page.get_by_role("button", name="Unmute").click()
        expect(level).to_have_attribute("aria-valuetext", re.compile(r"[1-9]\d? percent"))
        page.click("#log summary")
        assert [name for name in logged(page) if "mute" in name] == [
            "user.action.mute", "user.action.mute", "user.action.unmute", "user.action.unmute",
        ]  # fmt: skip
        assert shown.problems == []


@pytest.fixture
def spoken(playwright: Playwright, chromium: str, site: Site, tmp_path: Path) -> Iterator[Page]:
    """The console in a Chromium whose microphone hears a caller talk over the opening, and ask for the price later."""
    sound = tmp_path / "caller.wav"
    record_caller(site, sound, [(4.5, "what is it about"), (17.0, "what is the price")], seconds=40)
    flags = (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={sound}%noloop",
    )
    with launch(playwright, chromium, *flags) as browser:
        with tab(browser, f"{site.url}/console/", permissions=["microphone"]) as shown:
            yield shown.page
        assert shown.problems == []


def test_a_spoken_conversation_of_two_turns_with_one_barge_in(spoken: Page, site: Site) -> None:
    spoken.click("#log summary")
    spoken.click("#start")
    expect(spoken.locator("#state-word")).to_have_text("Agent speaks", timeout=15 * SECOND)
    callers, agents = spoken.locator(".turn-caller"), spoken.locator(".turn-agent")
    expect(agents.first).to_contain_text("interrupted", timeout=15 * SECOND)
    expect(callers.first).to_contain_text("what is it about", timeout=15 * SECOND)
    expect(agents.nth(1)).to_contain_text("We check your roof for free", timeout=15 * SECOND)
    expect(callers.nth(1)).to_contain_text("what is the price", timeout=30 * SECOND)
    expect(agents.nth(2)).to_contain_text("between nine and fourteen thousand dollars", timeout=15 * SECOND)
    expect(spoken.locator("#latency-summary")).to_contain_text("median", timeout=15 * SECOND)
    spoken.check("#log-audio")
    types = logged(spoken)
    assert types.count("audio.output.cancel") == 1
    assert {"audio.input.chunk", "audio.output.played", "transcript.interim", "call.metrics"} <= set(types)
    spoken.click("#start")
    expect(spoken.locator("#state-word")).to_have_text("No call", timeout=20 * SECOND)
    status, stored = json.loads(site.python("-c", TURNS))
    assert status == "ended"
    assert [(speaker, interrupted) for speaker, _, interrupted in stored[:4]] == [
        ("agent", True), ("caller", False), ("agent", False), ("caller", False),
    ]  # fmt: skip
    heard = agents.first.locator(".turn-text").evaluate("(words) => words.firstChild.textContent.trim()")
    assert stored[0][1] == heard
    assert heard
    assert OPENING.startswith(heard)
    assert heard != OPENING
