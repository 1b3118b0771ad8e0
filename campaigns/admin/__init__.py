"""The operator's pages of campaigns, and those of the people who work here."""

from campaigns.admin.people import PeopleAdmin, RoleAdmin

__all__ = ["PeopleAdmin", "RoleAdmin"]
