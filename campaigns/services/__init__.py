"""Every write to the rows of ``campaigns``, as functions."""

from campaigns.services.analyses import (
    ask_again,
    await_analysis,
    claim_analysis,
    correct,
    drop_analysis,
    postpone_analysis,
    store_analysis,
)

__all__ = [
    "ask_again",
    "await_analysis",
    "claim_analysis",
    "correct",
    "drop_analysis",
    "postpone_analysis",
    "store_analysis",
]
