"""Rows and facts that tests of the stored side begin with."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from calls import services
from calls.engine.agent import AgentSpec
from calls.engine.events import SpokenTurn
from calls.enums import Door, EndReason, Speaker
from calls.models import Agent, CallSession
from calls.services import TurnFact

BEGAN = datetime(2025, 11, 21, 9, 0, tzinfo=UTC)


def agent(name: str = "Ada", *, published: bool = True, **fields: Any) -> Agent:
    """Store an agent."""
    draft = services.draft_from_spec(AgentSpec(name=name, prompt="You are kind.", opening="Hello!"))
    for field, value in fields.items():
        setattr(draft, field, value)
    draft.save()
    if published:
        services.publish_agent(draft)
        draft.refresh_from_db()
    return draft


def live_call(*, instance: str = "here", door: Door = Door.CONSOLE, began: datetime = BEGAN) -> UUID:
    """Store a call that is on the line."""
    session_id = uuid7()
    services.open_session(session_id, door=door, user_id=None, instance=instance, started_at=began)
    return session_id


def ended_call(*, with_agent: Agent | None = None, seconds: int = 60, began: datetime = BEGAN) -> CallSession:
    """Store a call that is over."""
    session_id = live_call(began=began)
    if with_agent is not None:
        services.attach_agent(
            session_id,
            agent_id=with_agent.pk,
            version_id=with_agent.published_id,
            language="en-US",
            variables={},
            campaign_id="",
        )
    services.finish_call(
        session_id,
        reason=EndReason.CALLER_ENDED,
        ended_at=began + timedelta(seconds=seconds),
        duration_ms=seconds * 1000,
        totals={},
    )
    return CallSession.objects.get(pk=session_id)


def spoken(index: int, text: str = "hello", speaker: Speaker = Speaker.CALLER, **more: Any) -> SpokenTurn:
    """Make a turn of 900 ms that begins at second ``index``."""
    return SpokenTurn(
        index=index, speaker=speaker, text=text, started_ms=index * 1000, ended_ms=index * 1000 + 900, **more
    )


def turn_fact(session_id: UUID, index: int, text: str = "hello", **more: Any) -> TurnFact:
    """Make the fact of a turn."""
    return TurnFact(session_id, spoken(index, text, **more))
