import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import need
from tests.live.console_site import Site, running_site
from tests.live.firefox import Firefox, running_firefox

pytestmark = pytest.mark.live

OVERFLOW = "document.documentElement.scrollWidth - innerWidth"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("console")) as site:
        yield site


@pytest.fixture
def firefox(tmp_path: Path) -> Iterator[Firefox]:
    path = os.environ.get("FIREFOX") or shutil.which("firefox") or shutil.which("firefox-esr") or ""
    need("Firefox", is_there=bool(path), remedy="install it (Debian: apt-get install firefox-esr), or set FIREFOX")
    with running_firefox(path, tmp_path / "profile") as started:
        yield started


def test_pages_fit_and_keep_to_their_policy_in_firefox(firefox: Firefox, site: Site) -> None:
    for width in (1280, 390):
        for path in ("/", "/console/"):
            firefox.open(site.url + path, width=width)
            assert firefox.evaluate(OVERFLOW) <= 0, f"{path} at {width}"
    assert firefox.problems == []


def test_a_typed_call_in_firefox(firefox: Firefox, site: Site) -> None:
    firefox.open(f"{site.url}/console/", width=1280)
    firefox.click("with-microphone")
    firefox.click("start")
    firefox.wait_for("transcript", "this is Robin")
    firefox.type("words", "what does it cost")
    firefox.wait_for("transcript", "between nine and fourteen thousand dollars")
    firefox.wait_for("latency-bars", " ms")
    firefox.click("start")
    firefox.wait_for("state-word", "No call")
    assert firefox.problems == []
