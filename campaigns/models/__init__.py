"""Rows: people and their consent, campaigns and whom they call, rules, decisions and what came of each attempt."""

from campaigns.models.analysis import CallAnalysis, CallCorrection
from campaigns.models.attempts import CampaignAttempt, CampaignEvent, DialDecision
from campaigns.models.campaigns import CallerId, Campaign, CampaignContact, PriceRow
from campaigns.models.contacts import Consent, Contact, ContactList
from campaigns.models.rules import ComplianceRule, DoNotCallList, DoNotCallNumber
from campaigns.models.work import BulkJob, SavedFilter

__all__ = [
    "BulkJob",
    "CallAnalysis",
    "CallCorrection",
    "CallerId",
    "Campaign",
    "CampaignAttempt",
    "CampaignContact",
    "CampaignEvent",
    "ComplianceRule",
    "Consent",
    "Contact",
    "ContactList",
    "DialDecision",
    "DoNotCallList",
    "DoNotCallNumber",
    "PriceRow",
    "SavedFilter",
]
