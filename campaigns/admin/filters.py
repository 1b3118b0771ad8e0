"""The filters of lists. Those of contacts mean what ``Contact.objects.matching`` means: a job finds the same."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from calls.models.choices import choices
from campaigns import services
from campaigns.enums import ConsentKind, ContactStatus, DialReason, MembershipState, Outcome
from campaigns.models import Campaign, Contact, ContactList
from campaigns.models.contacts import ContactQuerySet
from vantum.admin_bases import ModelAdmin, SimpleListFilter

_PLACES = {*services.LIST_PLACES, "o"}
"""Parts of an address that do not narrow a list."""


class UnknownFilterError(Exception):
    """A list is narrowed in a way that work in the background does not know; the text names it."""


def filters_of(request: HttpRequest, parameters: Mapping[str, str]) -> dict[str, str]:
    """Give what a list is narrowed to, as jobs and exports store it.

    ``parameters`` maps the address's names to those of ``matching``. Raises ``UnknownFilterError`` rather than leave
    one out: the work would be done to more rows than are shown.
    """
    found = {}
    for name, values in request.GET.lists():
        given = [value.strip() for value in values if value.strip()]
        if name in _PLACES or not given:
            continue
        if name not in parameters or len(given) > 1:
            message = f"The list is narrowed by “{name}”, which work in the background does not know."
            raise UnknownFilterError(message)
        found[parameters[name]] = given[0]
    return found


_MOST = 200
"""Choices of a filter; the newest."""


class _ContactFilter(SimpleListFilter):
    def has_output(self) -> bool:
        """Count even without choices: what the address asks for is never left out."""
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow the list; an address with a wrong id finds nothing."""
        del request
        assert isinstance(queryset, ContactQuerySet)  # noqa: S101 (the model's own)
        try:
            return queryset.matching({str(self.parameter_name): self.value() or ""})
        except ValueError:
            return queryset.none()


class StatusFilter(_ContactFilter):
    """By whether they may be called at all."""

    title, parameter_name = "status", "status"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        """Give the vocabulary."""
        del request, model_admin
        return choices(ContactStatus)


class ListFilter(_ContactFilter):
    """By the list they stand on."""

    title, parameter_name = "list", "list"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        """Give the newest lists."""
        del request, model_admin
        return [(str(pk), name) for pk, name in ContactList.objects.values_list("pk", "name")[:_MOST]]


class CampaignFilter(_ContactFilter):
    """By the campaign that calls them."""

    title, parameter_name = "campaign", "campaign"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        """Give the newest campaigns."""
        del request, model_admin
        return [(str(pk), name) for pk, name in Campaign.objects.values_list("pk", "name")[:_MOST]]


class RegionFilter(_ContactFilter):
    """By where they live: what is looked for is typed into the address by the links of other pages."""

    title, parameter_name = "region", "region"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        """Give the regions of the newest contacts; asking all of a million for theirs would take seconds."""
        del request, model_admin
        newest = Contact.objects.values_list("region", flat=True)[:1000]
        return [(region, region) for region in sorted({region for region in newest if region} | self._chosen())]

    def _chosen(self) -> set[str]:
        chosen = self.used_parameters.get(str(self.parameter_name))
        return {str(chosen[-1] if isinstance(chosen, list) else chosen)} if chosen else set()


class ConsentFilter(_ContactFilter):
    """By what they agreed to."""

    title, parameter_name = "consent", "consent"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        """Give the kinds, and none."""
        del request, model_admin
        return [*choices(ConsentKind), ("none", "None")]


class SuppressedFilter(_ContactFilter):
    """By whether the number may be dialled at all."""

    title, parameter_name = "suppressed", "suppressed"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        """Give yes and no."""
        del request, model_admin
        return [("yes", "Yes"), ("no", "No")]


class _MemberFilter(SimpleListFilter):
    column = ""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow the list to the chosen value."""
        del request
        return queryset.filter(**{self.column: self.value()}) if self.value() else queryset


class MemberStateFilter(_MemberFilter):
    """By where they are in the campaign."""

    title, parameter_name, column = "state", "state", "state"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        """Give the vocabulary."""
        del request, model_admin
        return choices(MembershipState)


class OutcomeFilter(_MemberFilter):
    """By how the latest attempt ended."""

    title, parameter_name, column = "outcome", "outcome", "last_outcome"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        """Give the vocabulary."""
        del request, model_admin
        return choices(Outcome)


class HeldFilter(_MemberFilter):
    """By why they are not called."""

    title, parameter_name, column = "why not called", "held", "held_because"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        """Give the reasons that hold a call back."""
        del request, model_admin
        return [(reason, name) for reason, name in choices(DialReason) if reason != DialReason.ALLOWED]


class MemberCampaignFilter(_MemberFilter):
    """By campaign."""

    title, parameter_name, column = "campaign", "campaign", "campaign_id"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        """Give the newest campaigns."""
        del request, model_admin
        return [(str(pk), name) for pk, name in Campaign.objects.values_list("pk", "name")[:_MOST]]
