"""Every write to the rows of ``campaigns``, and what a campaign is asked, as functions."""

from campaigns.services.admission import room_for
from campaigns.services.analyses import (
    ask_again,
    await_analysis,
    claim_analysis,
    correct,
    drop_analysis,
    judge_campaign_again,
    postpone_analysis,
    store_analysis,
)
from campaigns.services.api_keys import find_api_key, make_api_key, revoke_api_key
from campaigns.services.contacts import Taken, add_contact, add_contacts, change_contact, draft_campaign
from campaigns.services.costs import unpriced_items, unpriced_of
from campaigns.services.demo import ensure_demo
from campaigns.services.dialling import LEASE, Claim, claim_due, dial_claimed, latest_decision
from campaigns.services.enrolment import enrol_lists
from campaigns.services.exports import cancel_export, claim_export, finish_export, note_export, start_export
from campaigns.services.filters import LIST_PLACES, change_filter, delete_filter, save_filter
from campaigns.services.imports import (
    Preview,
    PreviewRow,
    cancel_import,
    map_import,
    preview_import,
    receive_file,
    start_import,
)
from campaigns.services.intake import bad_rows_path, claim_import, run_import
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
from campaigns.services.notices import addresses, tell_supervisors
from campaigns.services.numbers import CampaignNumbers, campaign_numbers
from campaigns.services.optouts import OptOut, cancel_queued, opt_out
from campaigns.services.previewing import DryRun, Preflight, Sample, plan_next_hour, preflight
from campaigns.services.registers import import_register
from campaigns.services.retention import expire_files
from campaigns.services.roles import ensure_roles
from campaigns.services.sealed import reseal_secrets
from campaigns.services.settling import settle_attempt, settle_session
from campaigns.services.sweeping import sweep_campaigns
from campaigns.services.webhooks import (
    Attempted,
    check_endpoint,
    claim_message,
    enable_endpoint,
    make_endpoint,
    note_delivery,
    renew_secret,
    replay_message,
    tell,
    tell_call,
    tell_campaign,
    tell_opt_out,
    tell_other_call,
)

__all__ = [
    "LEASE",
    "LIST_PLACES",
    "Attempted",
    "CampaignNumbers",
    "Claim",
    "DryRun",
    "ManualCall",
    "OptOut",
    "Preflight",
    "Preview",
    "PreviewRow",
    "Sample",
    "Taken",
    "abort_campaign",
    "add_contact",
    "add_contacts",
    "addresses",
    "ask_again",
    "await_analysis",
    "bad_rows_path",
    "campaign_numbers",
    "cancel_export",
    "cancel_import",
    "cancel_job",
    "cancel_queued",
    "change_contact",
    "change_filter",
    "check_endpoint",
    "claim_analysis",
    "claim_due",
    "claim_export",
    "claim_import",
    "claim_job",
    "claim_message",
    "correct",
    "decide_once",
    "delete_filter",
    "dial_claimed",
    "dial_once",
    "draft_campaign",
    "drop_analysis",
    "enable_endpoint",
    "enrol_lists",
    "ensure_demo",
    "ensure_roles",
    "expire_files",
    "find_api_key",
    "finish_export",
    "import_register",
    "judge_campaign_again",
    "latest_decision",
    "make_api_key",
    "make_endpoint",
    "map_import",
    "note_delivery",
    "note_export",
    "opt_out",
    "pause_campaign",
    "plan_next_hour",
    "postpone_analysis",
    "preflight",
    "preview_import",
    "receive_file",
    "release_job",
    "remove_contact",
    "renew_secret",
    "replay_message",
    "reseal_secrets",
    "resume_campaign",
    "revoke_api_key",
    "room_for",
    "run_batch",
    "run_import",
    "save_filter",
    "selected",
    "settle_attempt",
    "settle_session",
    "start_campaign",
    "start_export",
    "start_import",
    "start_job",
    "start_problems",
    "store_analysis",
    "sweep_campaigns",
    "tell",
    "tell_call",
    "tell_campaign",
    "tell_opt_out",
    "tell_other_call",
    "tell_supervisors",
    "unpriced_items",
    "unpriced_of",
]
