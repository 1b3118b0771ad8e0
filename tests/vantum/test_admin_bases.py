import pytest
from django.contrib.auth.models import Group
from unfold import admin as unfold_admin

from calls.models import CallAttempt, CallStream
from vantum import admin_bases


def test_the_bases_are_those_of_the_theme_and_take_a_model_in_brackets() -> None:
    assert issubclass(admin_bases.ModelAdmin[CallAttempt], unfold_admin.ModelAdmin)
    assert issubclass(admin_bases.TabularInline[CallStream, CallAttempt], unfold_admin.TabularInline)
    assert issubclass(admin_bases.StackedInline[CallStream, CallAttempt], unfold_admin.StackedInline)


@pytest.mark.django_db
def test_counting_stops_where_nobody_pages_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin_bases, "_MOST_COUNTED", 3)
    Group.objects.bulk_create(Group(name=str(number)) for number in range(5))
    assert admin_bases.BoundedPaginator(Group.objects.order_by("pk"), 2).count == 3
    assert admin_bases.BoundedPaginator([1] * 4, 2).count == 4
