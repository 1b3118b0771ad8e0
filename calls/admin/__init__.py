"""The operator's pages: agents to edit and publish, calls to read and hear, numbers to leave alone."""

from calls.admin.agents import AgentAdmin, AgentVersionAdmin
from calls.admin.attempts import CallAttemptAdmin, SuppressionAdmin
from calls.admin.secrets import SecretAdmin
from calls.admin.sessions import CallSessionAdmin

__all__ = ["AgentAdmin", "AgentVersionAdmin", "CallAttemptAdmin", "CallSessionAdmin", "SecretAdmin", "SuppressionAdmin"]
