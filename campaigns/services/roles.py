"""The four roles of an installation, as groups with exact permissions."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from django.contrib.auth.models import Group, Permission
from django.db import transaction

_READ_WORK = (
    *("calls.view_agent", "calls.view_agentversion", "calls.view_callsession", "calls.view_callattempt"),
    *("calls.view_callstream", "calls.view_turn", "calls.view_callevent", "calls.view_suppression"),
    "campaigns.view_*",
    *("!campaigns.view_apikey", "!campaigns.view_webhook*"),
)
_OPERATE = (
    *_READ_WORK,
    "calls.view_recording",
    *("calls.add_suppression", "calls.add_callattempt", "calls.change_callattempt"),
    *("campaigns.add_contact", "campaigns.change_contact", "campaigns.add_contactlist", "campaigns.change_contactlist"),
    *("campaigns.add_campaign", "campaigns.change_campaign", "campaigns.add_consent", "campaigns.change_consent"),
    *("campaigns.run_campaign", "campaigns.call_once", "campaigns.add_callcorrection"),
)
_SUPERVISE = (
    *_OPERATE,
    *("calls.add_agent", "calls.change_agent"),
    *("campaigns.abort_campaign", "campaigns.delete_campaign", "campaigns.delete_contactlist"),
    *("campaigns.add_callerid", "campaigns.change_callerid", "campaigns.add_pricerow", "campaigns.change_pricerow"),
    *("campaigns.add_compliancerule", "campaigns.change_compliancerule"),
    "campaigns.add_export",
    *("campaigns.add_donotcalllist", "campaigns.change_donotcalllist"),
    *("campaigns.add_export", "campaigns.change_webhookmessage"),
    "campaigns.view_webhook*",
    *("campaigns.add_webhookendpoint", "campaigns.change_webhookendpoint"),
)

ROLES: dict[str, tuple[str, ...]] = {
    "Operator": _OPERATE,
    "Supervisor": _SUPERVISE,
    "Auditor": (
        *_READ_WORK,
        "calls.view_*",
        "campaigns.view_*",
        "admin.view_logentry",
        "auth.view_user",
        "auth.view_group",
    ),
    "Administrator": ("calls.*", "campaigns.*", "auth.*", "admin.view_logentry"),
}
"""Role to its permissions, ``app.codename``; a star stands for any ending.

One with an exclamation mark takes away, unless a later one gives it back.
"""


@transaction.atomic
def ensure_roles() -> list[str]:
    """Make the groups, and give each exactly its permissions. Gives the names of those that were changed.

    A group of another name is left alone: an installation's own roles are made beside these.
    """
    known = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.select_related("content_type")
    }
    changed = []
    for name, patterns in ROLES.items():
        group, is_new = Group.objects.get_or_create(name=name)
        wanted = {known[full].pk for full in _matching(known, patterns)}
        held = set(group.permissions.values_list("pk", flat=True))
        if is_new or held != wanted:
            group.permissions.set(wanted)
            changed.append(name)
    return changed


def _matching(names: Iterable[str], patterns: tuple[str, ...]) -> list[str]:
    """Give the names whose last matching pattern gives them."""
    found = []
    for name in names:
        matching = [pattern for pattern in patterns if fnmatchcase(name, pattern.removeprefix("!"))]
        if matching and not matching[-1].startswith("!"):
            found.append(name)
    return found
