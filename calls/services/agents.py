"""Agents: from the draft's columns to a frozen version, and from a version to what a call runs on."""

import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any
from uuid import UUID

import msgspec
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Max

from calls.engine.agent import AgentSpec
from calls.errors import AgentError
from calls.models import Agent, AgentVersion
from calls.services.tools import tool_problems

COLUMN_OF = {
    "providers.stt": "stt_provider",
    "providers.llm": "llm_provider",
    "providers.tts": "tts_provider",
    "providers.llm_fallback": "llm_fallback",
    "providers.tts_fallback": "tts_fallback",
    **{
        f"endpointing.{name}": name
        for name in ("patience_ms", "unfinished_patience_ms", "eager_ms", "max_speculations", "recogniser_wait_ms")
    },
    **{f"barge_in.{name}": name for name in ("interrupt_after_ms", "false_interruption_ms", "wordless_limit_ms")},
    **{f"silence.{name}": name for name in ("reprompt_after_seconds", "max_reprompts", "reprompts")},
    "silence.goodbye": "silence_goodbye",
    **{
        f"vad.{name}": f"vad_{name}"
        for name in ("threshold", "release", "onset_windows", "hangover_ms", "min_level_dbfs", "noise_margin_db")
    },
    **{
        f"telephone.{name}": name
        for name in (
            *("notice", "opening_waits", "voicemail", "voicemail_message", "screening_answer"),
            *("ivr_digits", "opt_out_goodbye", "objection_line", "carrier_recording"),
        )
    },
    "telephone.opening": "telephone_opening",
    **{f"transfer_lines.{name}": f"transfer_{name}" for name in ("connecting", "calling", "returned")},
}
"""Where a nested field of ``AgentSpec`` stands in ``Agent``; its top level fields have columns of their own name."""

_GROUPS = frozenset(path.split(".")[0] for path in COLUMN_OF)
_TOP_LEVEL = tuple(name for name in AgentSpec.__struct_fields__ if name not in _GROUPS)
_PATH = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")


class LoadedAgent(msgspec.Struct, frozen=True):
    """What a call runs on: which agent, which version of it, and the definition."""

    agent_id: UUID
    version_id: UUID
    spec: AgentSpec


def content_of(agent: Agent) -> dict[str, Any]:
    """Give a draft's columns in the shape of ``AgentSpec``, unchecked."""
    content: dict[str, Any] = {name: getattr(agent, name) for name in _TOP_LEVEL}
    for path, column in COLUMN_OF.items():
        group, name = path.split(".")
        content.setdefault(group, {})[name] = getattr(agent, column)
    return content


def _as_json(spec: AgentSpec) -> dict[str, Any]:
    """Give the form that comes back from the database: lists, not tuples."""
    content: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(spec))
    return content


def is_ahead(agent: Agent) -> bool:
    """Whether the draft says something else than the published version.

    Compared as definitions, so that a field which is newer than the version counts as its default there.
    """
    try:
        return agent.published is None or spec_of(agent.published.content) != spec_of(content_of(agent))
    except AgentFieldError:
        return True


def draft_from_spec(spec: AgentSpec) -> Agent:
    """Give an unsaved draft that says what ``spec`` says."""
    content = _as_json(spec)
    columns = {name: content[name] for name in _TOP_LEVEL}
    for path, column in COLUMN_OF.items():
        group, name = path.split(".")
        columns[column] = content[group][name]
    return Agent(**columns)


def spec_of(content: Mapping[str, Any]) -> AgentSpec:
    """Check a definition. Raises ``AgentFieldError`` that names the field, such as ``endpointing.patience_ms``."""
    try:
        spec = msgspec.convert(content, AgentSpec)
    except msgspec.ValidationError as error:
        reason = str(error)
        found = _PATH.search(reason)
        path = found["path"] if found else ""
        raise AgentFieldError(path or "content", _PATH.sub("", reason)) from None
    for path, reason in tool_problems(spec):
        raise AgentFieldError(path, reason)
    return spec


def problems_of(content: Mapping[str, Any]) -> list["AgentFieldError"]:
    """Give everything that is wrong with a definition, a field at a time; nothing when it can be used."""
    rest = deepcopy(dict(content))
    problems: list[AgentFieldError] = []
    while True:
        try:
            spec_of(rest)
        except AgentFieldError as problem:
            problems.append(problem)
            *group, name = problem.field.split(".")
            holder = rest[group[0]] if group else rest
            if name not in holder:
                return problems
            # The next round finds the field's default in its place, and what else is wrong.
            del holder[name]
        else:
            return problems


class AgentFieldError(AgentError):
    """One field of a definition cannot be used. ``path`` is its place in ``AgentSpec``, ``column`` in ``Agent``."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"field '{path}': {reason}; correct it in the admin and publish the agent again")
        self.path = path
        self.reason = reason

    @property
    def field(self) -> str:
        """Give the path without what is inside of a list or a map: ``intents[0].name`` is ``intents``."""
        return self.path.split("[")[0]

    @property
    def column(self) -> str:
        """Give the draft's column: ``vad.release`` is ``vad_release``."""
        return COLUMN_OF.get(self.field, self.field)


def load_agent(agent_id: str | None) -> LoadedAgent:
    """Give the published version of an agent; ``None`` is the default agent.

    Raises ``AgentError`` that names the field and the remedy.
    """
    agents = Agent.objects.select_related("published")
    if agent_id is None:
        agent = agents.filter(is_default=True).first()
        if agent is None:
            message = "no agent is marked as the default; mark one in the admin, or name one with agentId"
            raise AgentError(message)
    else:
        agent = agents.filter(pk=_uuid(agent_id)).first()
        if agent is None:
            message = f"agentId: there is no agent {agent_id}; take an id from the admin's list of agents"
            raise AgentError(message)
    version = agent.published
    if version is None:
        message = f"agent '{agent}' has no published version; publish it in the admin"
        raise AgentError(message)
    try:
        spec = spec_of(version.content)
    except AgentError as error:
        message = f"agent '{agent}', version {version.number}: {error}"
        raise AgentError(message) from None
    return LoadedAgent(agent_id=agent.pk, version_id=version.pk, spec=spec)


def load_version(version_id: UUID) -> LoadedAgent:
    """Give one version of an agent, whatever has been published since. Raises ``AgentError``."""
    version = AgentVersion.objects.filter(pk=version_id).first()
    if version is None:
        message = f"there is no version {version_id} of an agent"
        raise AgentError(message)
    return LoadedAgent(agent_id=version.agent_id, version_id=version.pk, spec=spec_of(version.content))


def _uuid(agent_id: str) -> UUID:
    try:
        return UUID(agent_id)
    except (ValueError, AttributeError, TypeError):
        message = "agentId is not a UUID; take an id from the admin's list of agents"
        raise AgentError(message) from None


@transaction.atomic
def publish_agent(agent: Agent, *, by: AbstractBaseUser | None = None) -> AgentVersion:
    """Freeze the draft as the version that calls use from now on. The same draft again gives the version that is.

    Raises ``AgentFieldError`` when the draft cannot be used.
    """
    # Held until the commit, so that two publishers cannot take the same number.
    agent = Agent.objects.select_for_update().get(pk=agent.pk)
    spec = spec_of(content_of(agent))
    if agent.published is not None and not is_ahead(agent):
        return agent.published
    last = agent.versions.aggregate(last=Max("number"))["last"] or 0
    version = AgentVersion(agent=agent, number=last + 1, content=_as_json(spec))
    version.created_by_id = None if by is None else by.pk
    version.save(force_insert=True)
    agent.published = version
    agent.save(update_fields=["published"])
    return version


@transaction.atomic
def make_default(agent: Agent) -> None:
    """Have ``agent`` answer the calls that name none."""
    Agent.objects.filter(is_default=True).exclude(pk=agent.pk).update(is_default=False)
    agent.is_default = True
    agent.save(update_fields=["is_default"])


@transaction.atomic
def ensure_demo_agent(spec: AgentSpec) -> Agent | None:
    """Create and publish ``spec`` as the default of an installation without any agent; else do nothing, give None."""
    if Agent.objects.exists():
        return None
    agent = draft_from_spec(spec)
    agent.is_default = True
    agent.save(force_insert=True)
    publish_agent(agent)
    agent.refresh_from_db()
    return agent
