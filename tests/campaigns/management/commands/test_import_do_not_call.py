from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from campaigns.models import DoNotCallList, DoNotCallNumber

pytestmark = pytest.mark.django_db


def run(path: Path) -> str:
    out = StringIO()
    call_command("import_do_not_call", str(path), "--name", "FTC", "--date", "2026-11-24", stdout=out)
    return out.getvalue()


def test_the_registers_two_columns_and_whole_numbers_are_read(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("212,5550100\n2125550101\n+1 212 555 0102\nnobody\n2125550101\n")
    assert run(path) == "FTC of 2026-11-24: 3 numbers, 1 rows were no numbers.\n"
    copy = DoNotCallList.objects.get()
    assert (copy.is_complete, copy.row_count, copy.jurisdiction) == (True, 3, "US")
    assert sorted(DoNotCallNumber.objects.values_list("e164", flat=True)) == [
        *("+12125550100", "+12125550101", "+12125550102")
    ]


def test_a_file_without_a_number_gives_no_copy_that_counts(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("phone\nnobody\n")
    with pytest.raises(CommandError, match="no number"):
        run(path)
    assert not DoNotCallList.objects.get().is_complete
