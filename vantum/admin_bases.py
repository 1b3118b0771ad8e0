"""The base classes of the admin's pages: the theme's at run time, with the types of Django's own.

django-unfold ships no type hints; its classes extend those of Django. Every change through a form is kept with its
values before and after.
"""

from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property

from vantum.audit import form_values, row_values
from vantum.days import day_begins, day_ends
from vantum.memory import without_psycopg

if TYPE_CHECKING:
    _Pages = Paginator[Any]
else:
    _Pages = Paginator

_MOST_COUNTED = 10_000


class BoundedPaginator(_Pages):
    """Counts no further than it must: counting a million rows takes longer than anyone pages through."""

    @cached_property
    def count(self) -> int:
        """Give the number of rows, at most the bound."""
        rows = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        return rows.order_by().values("pk")[:_MOST_COUNTED].count()  # Of ids: what else is counted of rows is not.


if TYPE_CHECKING:
    from django.contrib.admin import DateFieldListFilter as RangeDateFilter
    from django.contrib.admin import ModelAdmin, SimpleListFilter, StackedInline, TabularInline
else:
    from django.contrib.admin.models import DELETION, LogEntry

    with without_psycopg():
        from unfold import admin as _unfold
        from unfold.views import ChangeList as _ChangeList
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

    class ChangeList(_ChangeList):
        """A list that reads what it shows of the rows on its page, and nothing more."""

        def get_queryset(self, request, exclude_parameters=None):  # noqa: ANN001, ANN202 (Django's signature)
            """Leave out columns that are not shown; read what many rows share once."""
            rows = super().get_queryset(request, exclude_parameters)
            return rows.defer(*self.model_admin.list_defer).prefetch_related(*self.model_admin.list_prefetch)

        def get_results(self, request):  # noqa: ANN001, ANN202 (Django's signature)
            """Have the rows of the page completed; where nothing was counted, nothing is looked for again."""
            super().get_results(request)
            if not self.result_count:
                self.result_list = self.result_list.none()
            self.model_admin.complete(self.result_list)

    class _Generic:
        """Lets a class be written as ``ModelAdmin[Agent]``."""

        def __class_getitem__(cls, _model: object) -> type:
            return cls

    class ModelAdmin(_Generic, _unfold.ModelAdmin):
        """A model's pages in the look of the theme."""

        list_filter_submit = True
        list_per_page = 50
        paginator = BoundedPaginator
        show_full_result_count = False
        list_defer = ()
        """Columns that the list does not show and that are dear to read."""
        list_prefetch = ()
        """What the list shows of rows that many of its own share, such as an agent: each is read once."""
        secret_fields = ()
        """Fields whose values no record of changes may hold."""

        def get_changelist(self, request: Any, **options: Any) -> Any:
            """Show lists by what they need."""
            del request, options
            return ChangeList

        def complete(self, rows: Any) -> None:
            """Add to the rows of one page what is counted for each, such as turns: sorted rows must not carry it."""

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


__all__ = ["BoundedPaginator", "ModelAdmin", "RangeDateFilter", "SimpleListFilter", "StackedInline", "TabularInline"]
