"""``import_contacts``: a list of contacts from a file, as the admin takes it."""

from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from campaigns import services
from campaigns.enums import DuplicatePolicy, ImportStatus
from campaigns.errors import ImportRefusedError
from campaigns.models import ContactImport

_TURN = timedelta(seconds=5)


class Command(BaseCommand):
    """Take a list in here and now, or show what would become of it."""

    help = "Import contacts from a CSV file or an Excel workbook; rows that cannot be used come back with the reason."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Name the file and what is known of it."""
        parser.add_argument("file", type=Path, help="a .csv or .xlsx file")
        parser.add_argument("--list", default="", metavar="NAME", help="put the contacts on this list")
        parser.add_argument("--region", default="US", help="country of numbers without a country's code (default US)")
        parser.add_argument(
            "--map", action="append", default=[], metavar="COLUMN=TARGET",
            help="what a column is: phone, name, region, time_zone, consent, field:NAME, or nothing to ignore it",
        )  # fmt: skip
        parser.add_argument("--update", action="store_true", help="update contacts that are known")
        parser.add_argument("--dry-run", action="store_true", help="only show what the first rows become")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Import it."""
        path: Path = options["file"]
        try:
            with path.open("rb") as file:
                row = services.receive_file(
                    file, name=path.name, region=options["region"].upper(), by=None, at=timezone.now()
                )
            mapping = row.mapping | dict(_pair(text) for text in options["map"])
            if options["dry_run"]:
                self._show(row, mapping)
                return
            policy = DuplicatePolicy.UPDATE if options["update"] else DuplicatePolicy.KEEP
            services.start_import(row.pk, mapping=mapping, region=row.region, policy=policy, list_name=options["list"])
        except (ImportRefusedError, OSError) as error:
            raise CommandError(str(error)) from None
        self._work_off(row)

    def _show(self, row: ContactImport, mapping: dict[str, str]) -> None:
        try:
            services.map_import(row.pk, mapping=mapping, region=row.region)
            row.refresh_from_db()
            preview = services.preview_import(row, now=timezone.now())
        finally:
            row.file.delete(save=False)
            row.delete()
        for column, target in preview.mapping.items():
            self.stdout.write(f"{column} -> {target or 'ignored'}")
        for line in preview.rows:
            if line.entry is None:
                self.stdout.write(f"row {line.row.number}: comes back: {'; '.join(line.reasons)}")
            else:
                marks = [
                    word for word, holds in (("known", line.is_known), ("suppressed", line.is_suppressed)) if holds
                ]
                self.stdout.write(
                    f"row {line.row.number}: {line.entry.e164} {line.entry.name} {' '.join(marks)}".rstrip()
                )

    def _work_off(self, row: ContactImport) -> None:
        row.refresh_from_db()
        while row.is_open:
            # A worker of a running installation may be faster; then its work is watched.
            if key := services.claim_import(row.pk, now=timezone.now()):
                services.run_import(row.pk, key, clock=timezone.now, turn=_TURN)
            row.refresh_from_db()
            self.stdout.write(f"{row.percent} %")
        if row.status != ImportStatus.DONE:
            message = row.error or f"the import was {row.status}"
            raise CommandError(message)
        self.stdout.write(
            f"{row.created} new, {row.updated} updated, {row.known} known, {row.repeated} twice in the file, "
            f"{row.suppressed} of them suppressed, {row.bad} came back"
        )
        if row.bad:
            self.stdout.write(f"Rows that came back: {services.bad_rows_path(row.pk)}")


def _pair(text: str) -> tuple[str, str]:
    column, sign, target = text.rpartition("=")
    if not sign:
        message = f"--map {text}: write it as COLUMN=TARGET, such as Mobile=phone"
        raise CommandError(message)
    return column, target
