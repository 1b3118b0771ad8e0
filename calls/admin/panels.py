"""What others put beside a call's page: whoever stands above calls knows more about one than calls do."""

from collections.abc import Callable

from django.http import HttpRequest
from django.utils.safestring import SafeString

from calls.models import CallSession

Panel = Callable[[HttpRequest, CallSession], SafeString]
"""Gives a section of HTML for one call; empty where there is nothing to show, or nothing that this user may see."""

_panels: list[Panel] = []


def register(panel: Panel) -> Panel:
    """Have a panel shown on every call's page, in the order of registration. Usable as a decorator."""
    _panels.append(panel)
    return panel


def panels_of(request: HttpRequest, session: CallSession) -> list[SafeString]:
    """Give the panels of one call."""
    return [shown for panel in _panels if (shown := panel(request, session))]
