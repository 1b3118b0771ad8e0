"""The operator's pages: agents to edit and publish, calls to read and hear."""

from calls.admin.agents import AgentAdmin, AgentVersionAdmin
from calls.admin.sessions import CallSessionAdmin

__all__ = ["AgentAdmin", "AgentVersionAdmin", "CallSessionAdmin"]
