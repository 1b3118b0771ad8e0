"""The operator's pages of campaigns, and those of the people who work here."""

from campaigns.admin.analyses import CallAnalysisAdmin
from campaigns.admin.people import PeopleAdmin, RoleAdmin

__all__ = ["CallAnalysisAdmin", "PeopleAdmin", "RoleAdmin"]
