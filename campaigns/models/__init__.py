"""Rows: people and their consent, campaigns and whom they call, rules, decisions and what came of each attempt."""

from campaigns.models.analysis import CallAnalysis, CallCorrection
from campaigns.models.attempts import CampaignAttempt, CampaignEvent, DialDecision
from campaigns.models.campaigns import CallerId, Campaign, CampaignContact, PriceRow
from campaigns.models.contacts import Consent, Contact, ContactList
from campaigns.models.files import ContactImport, Export
from campaigns.models.hooks import ApiKey, WebhookDelivery, WebhookEndpoint, WebhookMessage
from campaigns.models.rules import ComplianceRule, DoNotCallList, DoNotCallNumber
from campaigns.models.work import BulkJob, SavedFilter

__all__ = [
    "ApiKey",
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
    "ContactImport",
    "ContactList",
    "DialDecision",
    "DoNotCallList",
    "DoNotCallNumber",
    "Export",
    "PriceRow",
    "SavedFilter",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookMessage",
]
