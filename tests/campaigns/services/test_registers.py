from collections.abc import Iterator
from datetime import date

import pytest

from campaigns import services
from campaigns.models import DoNotCallList
from campaigns.services import registers

pytestmark = pytest.mark.django_db

DAY = date(2026, 11, 24)


def test_a_copy_that_broke_off_does_not_count_and_is_gone_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registers, "BATCH", 2)

    def breaks_off() -> Iterator[str]:
        yield from ("+12125550100", "+12125550101", "+12125550102")
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 (the one above)
        services.import_register(breaks_off(), name="FTC", version_date=DAY)
    copy = DoNotCallList.objects.get()
    assert (copy.is_complete, copy.numbers.count()) == (False, 2)
    told: list[int] = []
    numbers = [f"+1212555010{digit}" for digit in range(5)]
    copy = services.import_register(numbers, name="FTC", version_date=DAY, say=told.append)
    assert (copy.is_complete, copy.row_count, told) == (True, 5, [2, 4, 5])


def test_a_complete_copy_stays_as_it_is() -> None:
    services.import_register(["+12125550100"], name="FTC", version_date=DAY)
    copy = services.import_register(["+12125550101"], name="FTC", version_date=DAY)
    assert list(copy.numbers.values_list("e164", flat=True)) == ["+12125550100"]
