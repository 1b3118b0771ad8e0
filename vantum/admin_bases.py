"""The base classes of the admin's pages: the theme's at run time, with the types of Django's own.

django-unfold ships no type hints; its classes extend those of Django.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin, StackedInline, TabularInline
else:
    from unfold import admin as _unfold

    class _Generic:
        """Lets a class be written as ``ModelAdmin[Agent]``."""

        def __class_getitem__(cls, _model: object) -> type:
            return cls

    class ModelAdmin(_Generic, _unfold.ModelAdmin):
        """A model's pages in the look of the theme."""

    class StackedInline(_Generic, _unfold.StackedInline):
        """Rows of another model below a form, one under another."""

    class TabularInline(_Generic, _unfold.TabularInline):
        """Rows of another model below a form, as a table."""


__all__ = ["ModelAdmin", "StackedInline", "TabularInline"]
