"""What to say on a media stream, and how: from the plan that its token stood for to the options of a runner."""

from collections.abc import Mapping
from typing import Protocol
from uuid import UUID

from django.conf import settings

from calls.engine.agent import AgentSpec
from calls.engine.events import SpokenTurn
from calls.engine.history import Earlier
from calls.enums import Direction
from calls.runner.options import CallOptions
from calls.wire.twilio import LINE_FORMAT

FIRST_CHUNK_MS, CHUNK_MS = 40, 100
"""Whole frames of 20 ms: the first one leaves soon, later ones are few."""


class Grant(Protocol):
    """What a stream token stood for, once."""

    @property
    def attempt_id(self) -> UUID:
        """The attempt whose call this stream carries."""


class Plan(Protocol):
    """What to say on this call."""

    @property
    def agent_id(self) -> UUID:
        """The agent."""

    @property
    def version_id(self) -> UUID:
        """Its version."""

    @property
    def spec(self) -> AgentSpec:
        """That version's content."""

    @property
    def variables(self) -> Mapping[str, str]:
        """What its texts are filled with."""

    @property
    def language(self) -> str:
        """The call's language; empty is the agent's own."""

    @property
    def direction(self) -> Direction | None:
        """Who called whom; None: a colleague is on the line."""

    @property
    def history(self) -> tuple[SpokenTurn, ...]:
        """What was said on the call's earlier streams."""

    @property
    def earlier_seconds(self) -> float:
        """How long the call has lasted on them."""

    @property
    def is_noticed(self) -> bool:
        """Whether the notice was heard to its end on one of them."""

    @property
    def has_objected(self) -> bool:
        """Whether somebody does not want to be recorded."""

    @property
    def resumes_recording(self) -> bool:
        """Whether the caller comes back from a transfer, for which all recording had ended."""

    @property
    def is_briefing(self) -> bool:
        """Whether a colleague is on the line, whose keys decide about a caller."""

    @property
    def is_consulting(self) -> bool:
        """Whether the caller waits for a colleague who is being called."""

    @property
    def resume_line(self) -> str:
        """What is said first on this stream; empty: the installation's line for a call that was lost."""

    @property
    def last_line(self) -> str:
        """What alone is said on this stream, before the call ends."""


def options_of(plan: Plan) -> CallOptions:
    """Give what a runner needs to hold this call on a telephone line."""
    return CallOptions(
        input=LINE_FORMAT,
        output=LINE_FORMAT,
        language=plan.language or plan.spec.language,
        variables=dict(plan.variables),
        lead_ms=settings.PHONE_LEAD_MS,
        first_chunk_ms=FIRST_CHUNK_MS,
        chunk_ms=CHUNK_MS,
        cancel_gap_ms=0,
        opening=not plan.last_line,
        earlier=Earlier(
            plan.history, plan.resume_line or settings.RESUME_LINE, plan.earlier_seconds, is_noticed=plan.is_noticed
        ),
        # A colleague who says his name over it must hear it all the same.
        protects_opening=plan.is_briefing,
        is_consulting=plan.is_consulting,
        telephone=plan.direction,
    )
