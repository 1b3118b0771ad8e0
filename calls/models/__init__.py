"""Rows: agents and their versions, call sessions and what was said, heard and recorded in them, telephone calls."""

from calls.models.agents import Agent, AgentVersion
from calls.models.attempts import CallAttempt, CallStream, Suppression
from calls.models.secrets import Secret
from calls.models.sessions import CallEvent, CallSession, Recording, Turn
from calls.models.transfers import Transfer

__all__ = [
    "Agent",
    "AgentVersion",
    "CallAttempt",
    "CallEvent",
    "CallSession",
    "CallStream",
    "Recording",
    "Secret",
    "Suppression",
    "Transfer",
    "Turn",
]
