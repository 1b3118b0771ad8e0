"""Small pieces that several pages show."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from campaigns.enums import CampaignStatus, ImportStatus, JobStatus, MembershipState, Outcome
from vantum.admin_bases import ModelAdmin

_CENT = 10_000
GOOD, WARN, BAD, QUIET, BUSY = "good", "warn", "bad", "quiet", "busy"

TONES: dict[str, str] = {
    CampaignStatus.RUNNING: BUSY,
    CampaignStatus.PAUSED: WARN,
    CampaignStatus.FINISHED: GOOD,
    CampaignStatus.ABORTED: BAD,
    MembershipState.CALLING: BUSY,
    ImportStatus.UPLOADED: WARN,
    JobStatus.DONE: GOOD,
    JobStatus.FAILED: BAD,
    Outcome.ANSWERED: GOOD,
    Outcome.CALLBACK: GOOD,
    Outcome.OPTED_OUT: BAD,
    Outcome.FAILED: BAD,
    Outcome.DROPPED: WARN,
}
"""The colour of a word; what is not here is quiet."""


def badge(words: str, key: str = "") -> SafeString | str:
    """Give a word in the colour of what it means."""
    return format_html('<span class="v-badge v-{}">{}</span>', TONES.get(key, QUIET), words) if words else ""


def micros(amount: int | None) -> str:
    """Give millionths of the currency as an amount with its currency; less than a cent is not nothing."""
    if amount is None:
        return ""
    figure = "under 0.01" if 0 < amount < _CENT // 2 else f"{amount / 1_000_000:,.2f}"
    return f"{figure} {settings.CURRENCY}"


class ReadOnly:
    """Rows that are read here and written elsewhere."""

    def has_add_permission(self, request: HttpRequest, *_rest: Any) -> bool:
        """Nobody adds them by hand."""
        del request
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody edits them."""
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """They stay."""
        del request, obj
        return False


def may(model_admin: ModelAdmin[Any], request: HttpRequest, permission: str) -> bool:
    """Whether a permission of the model's app is held: ``start_campaign``."""
    return request.user.has_perm(f"{model_admin.opts.app_label}.{permission}")
