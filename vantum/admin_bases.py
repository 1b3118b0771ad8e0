"""The base classes of the admin's pages: the theme's at run time, with the types of Django's own.

django-unfold ships no type hints; its classes extend those of Django. Every change through a form is kept with its
values before and after.
"""

from typing import TYPE_CHECKING, Any

from vantum.audit import form_values, row_values
from vantum.days import day_begins, day_ends
from vantum.memory import without_psycopg

if TYPE_CHECKING:
    from django.contrib.admin import DateFieldListFilter as RangeDateFilter
    from django.contrib.admin import ModelAdmin, SimpleListFilter, StackedInline, TabularInline
else:
    from django.contrib.admin.models import DELETION, LogEntry

    with without_psycopg():
        from unfold import admin as _unfold
    from unfold.contrib.filters.admin import DropdownFilter
    from unfold.contrib.filters.admin import RangeDateFilter as _RangeDateFilter

    class RangeDateFilter(_RangeDateFilter):
        """Moments from the beginning of one day to the end of another, on the installation's clock."""

        def queryset(self, request: Any, queryset: Any) -> Any:
            """Narrow the list; what is no day is not counted."""
            del request
            if first := day_begins(self.used_parameters.get(f"{self.parameter_name}_from")):
                queryset = queryset.filter(**{f"{self.parameter_name}__gte": first})
            if last := day_ends(self.used_parameters.get(f"{self.parameter_name}_to")):
                queryset = queryset.filter(**{f"{self.parameter_name}__lt": last})
            return queryset

    class SimpleListFilter(DropdownFilter):
        """A filter that is a field to choose from: a hundred values take no more room than two."""

    class _Generic:
        """Lets a class be written as ``ModelAdmin[Agent]``."""

        def __class_getitem__(cls, _model: object) -> type:
            return cls

    class ModelAdmin(_Generic, _unfold.ModelAdmin):
        """A model's pages in the look of the theme."""

        list_filter_submit = True
        show_full_result_count = False
        secret_fields = ()
        """Fields whose values no record of changes may hold."""

        def construct_change_message(self, request: Any, form: Any, formsets: Any, add: bool = False) -> Any:  # noqa: FBT001, FBT002 (Django's signature)
            """Say what changed, with the values."""
            message = super().construct_change_message(request, form, formsets, add)
            if isinstance(message, list) and message and (values := form_values(form, self.secret_fields)):
                for kind in ("added", "changed"):
                    part = message[0].get(kind)
                    if part is not None and "object" not in part:
                        part["values"] = values
            return message

        def log_deletions(self, request: Any, queryset: Any) -> Any:
            """Keep what the deleted rows held."""
            return [
                LogEntry.objects.log_actions(
                    user_id=request.user.pk,
                    queryset=[row],
                    action_flag=DELETION,
                    change_message=[
                        {
                            "deleted": {
                                "name": str(self.opts.verbose_name),
                                "object": str(row),
                                "values": row_values(row, self.secret_fields),
                            }
                        }
                    ],
                    single_object=True,
                )
                for row in queryset
            ]

    class StackedInline(_Generic, _unfold.StackedInline):
        """Rows of another model below a form, one under another."""

    class TabularInline(_Generic, _unfold.TabularInline):
        """Rows of another model below a form, as a table."""


__all__ = ["ModelAdmin", "RangeDateFilter", "SimpleListFilter", "StackedInline", "TabularInline"]
