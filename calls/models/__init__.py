"""Rows: agents and their versions, call sessions and what was said, heard and recorded in them."""

from calls.models.agents import Agent, AgentVersion
from calls.models.sessions import CallEvent, CallSession, Recording, Turn

__all__ = ["Agent", "AgentVersion", "CallEvent", "CallSession", "Recording", "Turn"]
