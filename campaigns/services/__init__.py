"""Every write to the rows of ``campaigns``, and what a campaign is asked, as functions."""

from campaigns.services.admission import room_for
from campaigns.services.analyses import (
    ask_again,
    await_analysis,
    claim_analysis,
    correct,
    drop_analysis,
    postpone_analysis,
    store_analysis,
)
from campaigns.services.demo import ensure_demo
from campaigns.services.dialling import LEASE, Claim, claim_due, dial_claimed, latest_decision
from campaigns.services.enrolment import enrol_lists
from campaigns.services.filters import delete_filter, save_filter
from campaigns.services.jobs import cancel_job, claim_job, release_job, run_batch, selected, start_job
from campaigns.services.lifecycle import (
    abort_campaign,
    pause_campaign,
    remove_contact,
    resume_campaign,
    start_campaign,
    start_problems,
)
from campaigns.services.manual import ManualCall, decide_once, dial_once
from campaigns.services.notices import tell_supervisors
from campaigns.services.numbers import CampaignNumbers, campaign_numbers
from campaigns.services.optouts import OptOut, cancel_queued, opt_out
from campaigns.services.previewing import DryRun, Preflight, Sample, plan_next_hour, preflight
from campaigns.services.roles import ensure_roles
from campaigns.services.settling import settle_attempt, settle_session
from campaigns.services.sweeping import sweep_campaigns

__all__ = [
    "LEASE",
    "CampaignNumbers",
    "Claim",
    "DryRun",
    "ManualCall",
    "OptOut",
    "Preflight",
    "Sample",
    "abort_campaign",
    "ask_again",
    "await_analysis",
    "campaign_numbers",
    "cancel_job",
    "cancel_queued",
    "claim_analysis",
    "claim_due",
    "claim_job",
    "correct",
    "decide_once",
    "delete_filter",
    "dial_claimed",
    "dial_once",
    "drop_analysis",
    "enrol_lists",
    "ensure_demo",
    "ensure_roles",
    "latest_decision",
    "opt_out",
    "pause_campaign",
    "plan_next_hour",
    "postpone_analysis",
    "preflight",
    "release_job",
    "remove_contact",
    "resume_campaign",
    "room_for",
    "run_batch",
    "save_filter",
    "selected",
    "settle_attempt",
    "settle_session",
    "start_campaign",
    "start_job",
    "start_problems",
    "store_analysis",
    "sweep_campaigns",
    "tell_supervisors",
]
