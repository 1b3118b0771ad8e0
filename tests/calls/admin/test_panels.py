import pytest
from django.http import HttpRequest
from django.utils.safestring import SafeString

from calls.admin import panels
from calls.models import CallSession


@pytest.fixture(autouse=True)
def _own_panels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panels, "_panels", [])


def test_panels_are_shown_in_their_order_and_an_empty_one_is_left_out() -> None:
    texts = ("first", "", "last")
    for text in texts:
        panels.register(lambda _request, _session, text=text: SafeString(text))  # type: ignore[misc]
    assert panels.panels_of(HttpRequest(), CallSession()) == ["first", "last"]
