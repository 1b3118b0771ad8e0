from unfold import admin as unfold_admin

from calls.models import CallAttempt, CallStream
from vantum import admin_bases


def test_the_bases_are_those_of_the_theme_and_take_a_model_in_brackets() -> None:
    assert issubclass(admin_bases.ModelAdmin[CallAttempt], unfold_admin.ModelAdmin)
    assert issubclass(admin_bases.TabularInline[CallStream, CallAttempt], unfold_admin.TabularInline)
    assert issubclass(admin_bases.StackedInline[CallStream, CallAttempt], unfold_admin.StackedInline)
