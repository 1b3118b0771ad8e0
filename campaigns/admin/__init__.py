"""The operator's pages: contacts, campaigns, what the gate goes by, jobs, people, and who changed what."""

from campaigns.admin.analyses import CallAnalysisAdmin
from campaigns.admin.calls import ConversationAdmin, TelephoneCallAdmin
from campaigns.admin.campaigns import CampaignAdmin
from campaigns.admin.changes import ChangesAdmin
from campaigns.admin.connections import ApiKeyAdmin, WebhookEndpointAdmin, WebhookMessageAdmin
from campaigns.admin.contacts import ContactAdmin, ContactListAdmin
from campaigns.admin.exports import ExportAdmin
from campaigns.admin.imports import ContactImportAdmin
from campaigns.admin.jobs import BulkJobAdmin
from campaigns.admin.members import CampaignContactAdmin, CampaignEventAdmin
from campaigns.admin.people import PeopleAdmin, RoleAdmin
from campaigns.admin.rules import (
    CallerIdAdmin,
    ComplianceRuleAdmin,
    ConsentAdmin,
    DoNotCallListAdmin,
    PriceRowAdmin,
)

__all__ = [
    "ApiKeyAdmin",
    "BulkJobAdmin",
    "CallAnalysisAdmin",
    "CallerIdAdmin",
    "CampaignAdmin",
    "CampaignContactAdmin",
    "CampaignEventAdmin",
    "ChangesAdmin",
    "ComplianceRuleAdmin",
    "ConsentAdmin",
    "ContactAdmin",
    "ContactImportAdmin",
    "ContactListAdmin",
    "ConversationAdmin",
    "DoNotCallListAdmin",
    "ExportAdmin",
    "PeopleAdmin",
    "PriceRowAdmin",
    "RoleAdmin",
    "TelephoneCallAdmin",
    "WebhookEndpointAdmin",
    "WebhookMessageAdmin",
]
