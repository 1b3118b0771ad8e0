"""Calls that judges look at."""

from typing import Any

from calls.demo import DEMO_AGENT
from calls.enums import EndReason, Speaker
from campaigns.analytics.evidence import Evidence, Line

OPENING = "Hello, this is Robin, the AI assistant of Northlight Solar. Do you have a minute?"


def caller(text: str) -> Line:
    return Line(Speaker.CALLER, text)


def agent(text: str, waited_ms: int | None = 700, *, interrupted: bool = False) -> Line:
    return Line(Speaker.AGENT, text, interrupted, waited_ms)


def evidence(*lines: Line, **more: Any) -> Evidence:
    """A call that begins with the agent's opening."""
    known: dict[str, Any] = {"end_reason": EndReason.AGENT_SAID_GOODBYE, "duration_ms": 80_000, "spec": DEMO_AGENT}
    return Evidence(lines=(agent(OPENING, None), *lines), **known | more)


BOOKED = evidence(
    caller("yes tell me more"),
    agent("We check your roof for free. Would you like an engineer to have a look at it?"),
    caller("how much is it"),
    agent("Most roofs cost between nine and fourteen thousand dollars. Shall an engineer come?"),
    caller("tuesday at ten"),
    agent("Tuesday at ten it is. Dana, our engineer, will ring your bell. Is there anything else?"),
    caller("no that was all thank you"),
    agent("Thank you for your time. Goodbye!"),
)
