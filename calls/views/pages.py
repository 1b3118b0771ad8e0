"""The pages that are not the admin: where one starts, and where one talks to an agent."""

import json
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from msgspec import Struct

from calls.engine.agent import AgentSpec
from calls.engine.prompt import TELEPHONE_TEXTS, variable_names
from calls.errors import AgentError
from calls.models import Agent, CallSession
from calls.services.agents import spec_of
from calls.views.roles import describe_roles, has_local_roles

LANGUAGES = (
    ("en-US", "English (United States)"),
    ("en-GB", "English (United Kingdom)"),
    ("en-AU", "English (Australia)"),
    ("en-IN", "English (India)"),
    ("ar-SA", "Arabic"),
    ("cs-CZ", "Czech"),
    ("da-DK", "Danish"),
    ("nl-NL", "Dutch"),
    ("fi-FI", "Finnish"),
    ("fr-FR", "French"),
    ("de-DE", "German"),
    ("hi-IN", "Hindi"),
    ("id-ID", "Indonesian"),
    ("it-IT", "Italian"),
    ("ja-JP", "Japanese"),
    ("ko-KR", "Korean"),
    ("no-NO", "Norwegian"),
    ("pl-PL", "Polish"),
    ("pt-BR", "Portuguese (Brazil)"),
    ("pt-PT", "Portuguese (Portugal)"),
    ("ru-RU", "Russian"),
    ("es-ES", "Spanish (Spain)"),
    ("es-MX", "Spanish (Mexico)"),
    ("sv-SE", "Swedish"),
    ("tr-TR", "Turkish"),
    ("uk-UA", "Ukrainian"),
    ("vi-VN", "Vietnamese"),
    ("zh-CN", "Chinese (Mandarin)"),
)
"""What the console offers; whether a provider speaks it, the provider says."""

_DOCUMENTS = (Path("README.md"), Path("CHANGELOG.md"), Path("docs"))


class ConsoleAgent(Struct, frozen=True, kw_only=True):
    """A published agent as the console's form needs it. ``variables`` and ``roles`` are JSON for the page's script."""

    id: UUID
    name: str
    is_default: bool
    language: str
    variables: str
    roles: str


class Document(Struct, frozen=True, kw_only=True):
    """A text of the project: the name in its address, and its heading."""

    name: str
    title: str


@require_safe
@never_cache
def landing(request: HttpRequest) -> HttpResponse:
    """Say what this is, what it runs on, and what to do next."""
    sees_set_up = _is_staff(request) or settings.WS_ALLOW_ANONYMOUS
    roles = describe_roles() if sees_set_up else []
    context = {
        "sees_set_up": sees_set_up,
        "is_staff": _is_staff(request),
        "may_talk": _may_talk(request),
        "roles": roles,
        "has_local_roles": has_local_roles(roles),
        "agent": Agent.objects.callable().order_by("-is_default", "name").first(),
        "has_calls": _is_staff(request) and CallSession.objects.exists(),
        "documents": _documents() if sees_set_up else [],
        "socket_url": f"{settings.PUBLIC_URL.replace('http', 'ws', 1)}/ws",
    }
    return render(request, "landing.html", context)


@require_safe
@never_cache
def console(request: HttpRequest) -> HttpResponse:
    """Talk to an agent in the browser. ``?agent=<id>`` chooses it; without a login only where calls need none."""
    if not _may_talk(request):
        return redirect_to_login(request.get_full_path())
    agents = [_console_agent(agent) for agent in Agent.objects.callable().select_related("published")]
    asked = request.GET.get("agent", "")
    chosen = next((agent for agent in agents if str(agent.id) == asked), None)
    context = {
        "agents": agents,
        "chosen": chosen or next((agent for agent in agents if agent.is_default), agents[0] if agents else None),
        "is_asked_missing": bool(asked) and chosen is None,
        "has_drafts": not agents and Agent.objects.exists(),
        "languages": LANGUAGES,
        "is_staff": _is_staff(request),
    }
    return render(request, "console/console.html", context)


@require_safe
def document(request: HttpRequest, name: str) -> HttpResponse:
    """Give a text of the project as it is written; the same people see it as see how the installation is set up."""
    if not (_is_staff(request) or settings.WS_ALLOW_ANONYMOUS):
        return redirect_to_login(request.get_full_path())
    path = next((path for path in _document_paths() if path.stem.lower() == name), None)
    if path is None:
        raise Http404
    return HttpResponse(path.read_text(encoding="utf-8"), content_type="text/plain; charset=utf-8")


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Lead browsers, which ask for it beside every page that names no picture of its own, to ours."""
    del request
    return redirect(static("site/mark.svg"))


def _is_staff(request: HttpRequest) -> bool:
    return bool(request.user.is_authenticated and request.user.is_staff)


def _may_talk(request: HttpRequest) -> bool:
    return bool(settings.WS_ALLOW_ANONYMOUS or request.user.is_authenticated)


def _console_agent(agent: Agent) -> ConsoleAgent:
    """Give what the form shows. A version that cannot be read any more has its name; starting a call explains it."""
    try:
        spec = spec_of(agent.published.content if agent.published else {})
    except AgentError:
        spec = AgentSpec(name=agent.name, prompt="", language=agent.language)
    facts = [
        {"task": fact.task, "provider": fact.provider, "limits": fact.limits, "problem": fact.problem}
        for fact in describe_roles(spec.providers)
    ]
    return ConsoleAgent(
        id=agent.pk,
        name=agent.name,
        is_default=agent.is_default,
        language=spec.language,
        variables=json.dumps(_variables(spec)),
        roles=json.dumps(facts),
    )


def _variables(spec: AgentSpec) -> dict[str, str | None]:
    """Give the variables of everything that is rendered for a call, each with its default; None: it must be given."""
    texts = (
        spec.opening,
        spec.prompt,
        *spec.silence.reprompts,
        spec.silence.goodbye,
        spec.goodbye,
        spec.max_duration_goodbye,
        spec.fallback_answer,
        *(getattr(spec.telephone, name) for name in TELEPHONE_TEXTS),
        *(intent.answer for intent in spec.intents),
    )
    found: dict[str, str | None] = {}
    for text in texts:
        for name, default in variable_names(text).items():
            # One place without a default is enough for a value to be needed.
            found[name] = default if name not in found else (found[name] if default is not None else None)
    return found


def _document_paths() -> list[Path]:
    places = [settings.BASE_DIR / place for place in _DOCUMENTS]
    files = [path for place in places for path in (sorted(place.glob("*.md")) if place.is_dir() else [place])]
    return [path for path in files if path.is_file()]


def _documents() -> list[Document]:
    return [Document(name=path.stem.lower(), title=_title(path)) for path in _document_paths()]


def _title(path: Path) -> str:
    """Give the first heading of a text; the readme's is the product's name, which says nothing in a list."""
    if path.stem == "README":
        return "Readme"
    with path.open(encoding="utf-8") as lines:
        heading = next((line for line in lines if line.startswith("# ")), f"# {path.stem}")
    return heading.removeprefix("# ").replace("`", "").strip()
