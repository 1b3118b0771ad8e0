"""The lists of calls, which know of no campaigns, with what campaigns bring: filters under names, and exports."""

from typing import Any, ClassVar

from django.contrib import admin

from calls.admin.attempts import CallAttemptAdmin
from calls.admin.sessions import CallSessionAdmin
from calls.models import CallAttempt, CallSession
from campaigns.admin.exports import ExportsRows
from campaigns.admin.saved import KeepsFilters
from campaigns.enums import ExportKind

admin.site.unregister((CallAttempt, CallSession))


@admin.register(CallAttempt)
class TelephoneCallAdmin(ExportsRows, KeepsFilters, CallAttemptAdmin):
    """Telephone calls."""

    export_kind = ExportKind.CALLS
    list_parameters: ClassVar = {
        "created_at_from": "since",
        "created_at_to": "until",
        "status__exact": "status",
        "q": "words",
        "direction__exact": "direction",
        "carrier": "carrier",
        "answered_kind__exact": "answered_kind",
    }
    actions: Any = (*CallAttemptAdmin.actions, "export_csv", "export_xlsx")


@admin.register(CallSession)
class ConversationAdmin(KeepsFilters, CallSessionAdmin):
    """Conversations."""
