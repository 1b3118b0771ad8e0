"""A running installation of its own with the demo agent and the local providers, and a Chromium that looks at it."""

import subprocess
import sys
import time
import wave
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright

from tests.processes import ROOT, environment, free_port

# The local recogniser of a busy machine may need longer than the usual 1.2 s for its first word.
_PREPARE = """
import django
django.setup()
from msgspec.structs import replace
from django.core.management import call_command
call_command("migrate", verbosity=0)
from calls.demo import DEMO_AGENT
from calls.engine.agent import BargeIn
from calls.services import ensure_demo_agent
ensure_demo_agent(replace(DEMO_AGENT, barge_in=BargeIn(false_interruption_ms=5000)))
"""
_SPEAK = """
import sys
from calls.providers.local.espeak import Espeak
espeak = Espeak()
pcm, _ = espeak.synthesise(sys.argv[1], espeak.find_voice(["en-us"]), lambda: False)
sys.stdout.buffer.write(pcm)
"""
_SPEECH_RATE = 22_050
_BROWSER_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)
_WATCH_POLICY = """
addEventListener("securitypolicyviolation", (event) => {
  console.error(`policy: ${event.effectiveDirective} ${event.blockedURI}`);
});
"""


class Site:
    """One installation in a folder of its own; its server may be killed and started again on the same port."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.env = environment(folder / "var", HOST="127.0.0.1", PORT=str(self.port))
        self._log = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.python("-c", _PREPARE)

    def python(self, *arguments: str) -> bytes:
        """Run Python with this installation's settings and give what it prints."""
        result = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=self.env, capture_output=True, timeout=60, check=False
        )
        assert result.returncode == 0, result.stderr.decode()
        return result.stdout

    def start(self) -> None:
        """Start the server and wait until it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "vantum.server"], cwd=ROOT, env=self.env, stdout=log, stderr=log
            )
        give_up = time.monotonic() + 30
        while time.monotonic() < give_up and self._process.poll() is None:
            try:
                with urlopen(f"{self.url}/health/ready", timeout=2):
                    return
            except (URLError, OSError):
                time.sleep(0.05)
        raise AssertionError(self._log.read_text())

    def kill(self) -> None:
        """End the server as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def running_site(folder: Path) -> Iterator[Site]:
    """Give an installation whose server runs."""
    site = Site(folder)
    site.start()
    try:
        yield site
    finally:
        site.kill()


@dataclass
class Tab:
    """A page, and everything that went wrong on it."""

    page: Page
    context: BrowserContext
    problems: list[str] = field(default_factory=list)

    def note(self, message: ConsoleMessage) -> None:
        """Keep what the browser complains about."""
        if message.type in {"error", "warning"}:
            self.problems.append(message.text)


def launch(playwright: Playwright, path: str, *flags: str) -> Browser:
    """Start a Chromium without a window that speaks to this machine only."""
    return playwright.chromium.launch(executable_path=path, args=[*_BROWSER_FLAGS, *flags])


@contextmanager
def tab(browser: Browser, address: str, script: str = "", **context: Any) -> Iterator[Tab]:
    """Open an address in a fresh profile; ``script`` runs before the page's own. Nothing may go wrong unseen."""
    opened = browser.new_context(viewport=context.pop("viewport", {"width": 1280, "height": 900}), **context)
    page = opened.new_page()
    shown = Tab(page, opened)
    page.on("console", shown.note)
    page.on("pageerror", lambda error: shown.problems.append(str(error)))
    page.add_init_script(_WATCH_POLICY + script)
    try:
        page.goto(address)
        yield shown
    finally:
        opened.close()


def record_caller(site: Site, path: Path, lines: Sequence[tuple[float, str]], seconds: float) -> None:
    """Write what a microphone hears: silence, and each line from its second on, in a synthetic voice."""
    sound = np.zeros(int(seconds * _SPEECH_RATE), dtype=np.int16)
    for begins, words in lines:
        speech = np.frombuffer(site.python("-c", _SPEAK, words), dtype=np.int16)
        at = int(begins * _SPEECH_RATE)
        sound[at : at + len(speech)] = speech
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, _SPEECH_RATE, len(sound), "NONE", ""))
        file.writeframes(sound.tobytes())
