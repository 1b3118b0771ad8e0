"""``import_do_not_call``: one downloaded copy of a public do-not-call list."""

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from campaigns import imports, services
from campaigns.errors import ImportRefusedError
from campaigns.imports import Limits, NumberRefusedError

_NANP_DIGITS = 10
_LIMITS = Limits(mib=20_000, rows=1_000_000_000)
_SAY_EVERY = 100_000


class Command(BaseCommand):
    """Stream a file of numbers into a copy that counts once it is complete."""

    help = "Import a copy of a do-not-call list: a number a row, or the FTC's area code and number in two columns."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Name the file, the list and the day whose state it has."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--name", required=True, help="such as 'FTC registry'")
        parser.add_argument("--date", required=True, type=_day, help="the day whose state the copy has: 2026-11-24")
        parser.add_argument("--jurisdiction", default="US", help="ISO 3166 (default US)")
        parser.add_argument("--region", default="US", help="country of numbers without a country's code (default US)")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Import it."""
        refused = Counter[str]()
        try:
            with options["file"].open("rb") as file:
                shape = imports.inspect(file, _LIMITS)
                numbers = _numbers(imports.read_rows(file, shape, _LIMITS), options["region"], refused)
                copy = services.import_register(
                    numbers,
                    name=options["name"],
                    version_date=options["date"],
                    jurisdiction=options["jurisdiction"],
                    say=self._say,
                )
        except (ImportRefusedError, OSError) as error:
            raise CommandError(str(error)) from None
        if not copy.is_complete:
            message = "the file holds no number; the copy does not count"
            raise CommandError(message)
        self.stdout.write(f"{copy}: {copy.row_count:,} numbers, {refused.total():,} rows were no numbers.")

    def _say(self, count: int) -> None:
        if count % _SAY_EVERY == 0:
            self.stdout.write(f"{count:,}")


def _numbers(rows: Iterator[imports.Row], region: str, refused: Counter[str]) -> Iterator[str]:
    """Give each row's number; plain American ones without the slow way through the numbering plans."""
    for row in rows:
        digits = "".join(row.cells)
        if region == "US" and len(digits) == _NANP_DIGITS and digits.isascii() and digits.isdigit() and digits[0] > "1":
            yield f"+1{digits}"
            continue
        try:
            yield imports.normalise(row.cells[0], region)
        except NumberRefusedError:
            refused["rows"] += 1


def _day(text: str) -> date:
    return date.fromisoformat(text)
