"""What campaigns refuse, with the remedy in the text."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from calls.errors import CallError

if TYPE_CHECKING:
    from campaigns.gate import Decision


class CampaignError(Exception):
    """A campaign cannot do what was asked; each problem is a sentence for the operator."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = tuple(problems)


class GateRefusedError(CallError):
    """The gate did not let a call begin. ``decision``: what it said of the contact; None: it is not about the contact."""

    def __init__(self, message: str, *, decision: "Decision | None" = None) -> None:
        super().__init__(message)
        self.decision = decision
