import asyncio

import pytest
from pytest_django import Settings

from calls.live import live_calls


@pytest.fixture(autouse=True)
def _anyone_may_call(settings: Settings) -> None:
    settings.WS_ALLOW_ANONYMOUS = True


@pytest.fixture(autouse=True)
def _calls_of_one_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has its own event loop; a process has one."""
    monkeypatch.setattr(live_calls, "_changed", asyncio.Event())
    monkeypatch.setattr(live_calls, "is_draining", False)
