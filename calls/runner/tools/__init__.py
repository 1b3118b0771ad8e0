"""What the agent can do beside talking: built-in tools, and the operator's own over HTTP."""

from calls.runner.tools.access import NoTelephone, ToolAccess
from calls.runner.tools.toolbox import Toolbox

__all__ = ["NoTelephone", "ToolAccess", "Toolbox"]
