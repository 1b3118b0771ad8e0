"""Every write to the rows of ``calls``, as functions."""

from calls.services.agents import (
    LoadedAgent,
    content_of,
    draft_from_spec,
    ensure_demo_agent,
    load_agent,
    publish_agent,
    spec_of,
)
from calls.services.sessions import (
    EventFact,
    TurnFact,
    attach_agent,
    close_lost_calls,
    finish_call,
    open_session,
    record_events,
    record_turns,
    store_measurement,
    store_recording,
    touch_sessions,
)

__all__ = [
    "EventFact",
    "LoadedAgent",
    "TurnFact",
    "attach_agent",
    "close_lost_calls",
    "content_of",
    "draft_from_spec",
    "ensure_demo_agent",
    "finish_call",
    "load_agent",
    "open_session",
    "publish_agent",
    "record_events",
    "record_turns",
    "spec_of",
    "store_measurement",
    "store_recording",
    "touch_sessions",
]
