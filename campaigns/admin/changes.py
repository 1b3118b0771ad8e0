"""Who changed what, for auditors: Django's own record with the values before and after."""

import json
from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join

from campaigns.admin.parts import ReadOnly
from vantum.admin_bases import ModelAdmin
from vantum.audit import values_of

if TYPE_CHECKING:
    _Base = ModelAdmin[LogEntry]
else:

    class _Base(ReadOnly, ModelAdmin):
        """The admin writes them."""


_KINDS = {ADDITION: ("Added", "good"), CHANGE: ("Changed", "warn")}


@admin.register(LogEntry)
class ChangesAdmin(_Base):
    """Read-only."""

    list_display = ("action_time", "user", "what", "content_type", "object_repr", "summary")
    list_display_links = ("action_time",)
    list_filter = ("action_flag", "user")
    list_select_related = ("user", "content_type")
    ordering = ("-pk",)  # As they happened: Django keeps no index of the moments.
    sortable_by = ()
    search_fields = ("object_repr", "user__username")
    fields = ("action_time", "user", "content_type", "object_link", "summary", "values")
    readonly_fields = fields

    @admin.display(description="action", ordering="action_flag")
    def what(self, entry: LogEntry) -> str:
        """Name the kind of change."""
        words, tone = _KINDS.get(entry.action_flag, ("Deleted", "bad"))
        return format_html('<span class="v-badge v-{}">{}</span>', tone, words)

    @admin.display(description="change")
    def summary(self, entry: LogEntry) -> str:
        """Name the fields."""
        return str(entry.get_change_message())[:300]

    @admin.display(description="object")
    def object_link(self, entry: LogEntry) -> str:
        """Lead to what was changed, where it is still there."""
        address = entry.get_admin_url()
        if not address or entry.is_deletion():
            return entry.object_repr
        return format_html('<a href="{}">{}</a>', address, entry.object_repr)

    @admin.display(description="values")
    def values(self, entry: LogEntry) -> str:
        """Show before and after, field by field."""
        values = values_of(entry.change_message)
        if not values:
            return "-"
        rows = format_html_join(
            "",
            "<tr><th scope='row'>{}</th><td><pre class='v-pre'>{}</pre></td><td><pre class='v-pre'>{}</pre></td></tr>",
            ((name.replace("_", " "), _shown(before), _shown(after)) for name, (before, after) in values.items()),
        )
        return format_html(
            '<div class="v-scroll"><table class="v-table"><thead><tr><th>Field</th><th>Before</th><th>After</th></tr>'
            "</thead><tbody>{}</tbody></table></div>",
            rows,
        )

    def has_view_permission(self, request: HttpRequest, obj: LogEntry | None = None) -> bool:
        """Auditors and administrators."""
        del obj
        return request.user.has_perm("admin.view_logentry")


def _shown(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)
