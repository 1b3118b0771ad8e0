"""Calls while they go on: who is on the line, one call watched, and a simulated person called."""

from collections.abc import Callable
from functools import wraps
from uuid import UUID

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from calls import telephony
from calls.enums import DialRefusal
from calls.errors import AgentError, CallError, DialRefusedError, TelephonyError
from calls.models import Agent, CallAttempt, Suppression
from calls.sandbox.catalogue import CATALOGUE, Listing
from calls.services.watching import in_words, masked

SEE, CALL, END = "calls.view_callattempt", "calls.add_callattempt", "calls.change_callattempt"
_MOST_SHOWN = 100
_AREAS = range(500, 800)

_Page = Callable[..., HttpResponse]


def staff_with(permission: str) -> Callable[[_Page], _Page]:
    """Open a page to staff who have the permission; others log in or are refused."""

    def decorate(view: _Page) -> _Page:
        @never_cache
        @wraps(view)
        def checked(request: HttpRequest, *arguments: object, **named: object) -> HttpResponse:
            if not (request.user.is_authenticated and request.user.is_staff):
                return redirect_to_login(request.get_full_path())
            if not request.user.has_perm(permission):
                raise PermissionDenied
            return view(request, *arguments, **named)

        return checked

    return decorate


@require_safe
@staff_with(SEE)
def live_calls(request: HttpRequest) -> HttpResponse:
    """Show who is on the line."""
    attempts = CallAttempt.objects.live().select_related("agent_version__agent").order_by("created_at", "pk")
    calls = [{"attempt": attempt, **_shown(attempt)} for attempt in attempts[:_MOST_SHOWN]]
    context = {"calls": calls, "count": attempts.count(), "may_call": request.user.has_perm(CALL)}
    return render(request, "live/calls.html", context)


@require_safe
@staff_with(SEE)
def live_call(request: HttpRequest, attempt_id: UUID) -> HttpResponse:
    """Watch one call; one that is over shows what was said."""
    attempt = get_object_or_404(CallAttempt.objects.select_related("agent_version__agent"), pk=attempt_id)
    context = {
        "attempt": attempt,
        **_shown(attempt),
        "may_end": request.user.has_perm(END),
        "may_call": request.user.has_perm(CALL),
        "failure": request.GET.get("failure", "")[:20],
    }
    return render(request, "live/call.html", context)


@require_POST
@staff_with(END)
def hang_up(request: HttpRequest, attempt_id: UUID) -> HttpResponse:
    """End a call; its page then shows the end."""
    del request
    attempt = get_object_or_404(CallAttempt, pk=attempt_id)
    try:
        telephony.hang_up(attempt.pk)
    except TelephonyError:
        return redirect(f"{_address(attempt)}?failure=hang-up")
    return redirect(_address(attempt))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_with(CALL)
def call_persona(request: HttpRequest) -> HttpResponse:
    """Choose a simulated person and an agent, and call."""
    agents = list(Agent.objects.callable().order_by("-is_default", "name"))
    chosen = request.POST.get("persona") or request.GET.get("persona", "")
    problem = ""
    if request.method == "POST" and agents:
        try:
            return redirect(_address(_place(chosen, request.POST.get("agent", ""), agents)))
        except CallError as error:
            problem = str(error)
    context = {
        "personas": CATALOGUE,
        "agents": agents,
        "chosen_persona": chosen or CATALOGUE[0].kind,
        "chosen_agent": request.POST.get("agent") or request.GET.get("agent", ""),
        "problem": problem,
        "is_carrier": settings.CARRIER == "sandbox",
    }
    return render(request, "live/persona.html", context, status=409 if problem else 200)


def _place(kind: str, agent_id: str, agents: list[Agent]) -> CallAttempt:
    """Call a persona. Raises ``CallError`` that says what is wrong."""
    listing = next((listing for listing in CATALOGUE if listing.kind == kind), None)
    agent = next((agent for agent in agents if str(agent.pk) == agent_id), None)
    if listing is None or agent is None:
        message = "Choose whom to call, and a published agent."
        raise AgentError(message)
    attempt = telephony.place_call(_free_number(listing), agent_id=str(agent.pk), carrier="sandbox")
    if attempt.is_over and not attempt.carrier_sid and not attempt.is_refused:
        raise TelephonyError(attempt.error or "Nobody was called.", permanent=False)
    return attempt


def _free_number(listing: Listing) -> str:
    """Give a number of the persona that nobody is calling now and whose owner has not asked to be left alone.

    Raises ``DialRefusedError`` where none is left.
    """
    numbers = [f"+1{area}{listing.number[5:]}" for area in _AREAS]
    taken = set(Suppression.objects.filter(e164__in=numbers).values_list("e164", flat=True))
    taken |= set(CallAttempt.objects.live().filter(to_e164__in=numbers).values_list("to_e164", flat=True))
    free = next((number for number in numbers if number not in taken), None)
    if free is None:
        message = "All numbers of this persona are suppressed; delete some of the suppressions in the admin."
        raise DialRefusedError(message, reason=DialRefusal.SUPPRESSED)
    return free


def _shown(attempt: CallAttempt) -> dict[str, str]:
    """Give who talks to whom, and where the call is."""
    agent = attempt.agent_version.agent.name if attempt.agent_version else "no agent"
    return {"number": masked(attempt.person_e164), "agent": agent, "status": in_words(attempt)}


def _address(attempt: CallAttempt) -> str:
    return reverse("live-call", args=[attempt.pk])
