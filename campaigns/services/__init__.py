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
from campaigns.services.filters import delete_filter, save_filter
from campaigns.services.jobs import cancel_job, claim_job, release_job, run_batch, selected, start_job

__all__ = [
    "ask_again",
    "await_analysis",
    "cancel_job",
    "claim_analysis",
    "claim_job",
    "correct",
    "delete_filter",
    "drop_analysis",
    "postpone_analysis",
    "release_job",
    "run_batch",
    "save_filter",
    "selected",
    "start_job",
    "store_analysis",
]
