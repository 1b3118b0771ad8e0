"""``analyse_calls``: have calls judged again, old ones too."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from calls.models import CallSession
from campaigns import analytics, services

_ROWS_AT_ONCE = 500


class Command(BaseCommand):
    """Pick calls by time or campaign, and leave them to the workers or judge them here."""

    help = "Judge finished calls again: after a change of the rubric, the wanted fields, the model or the rules."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Define the options."""
        parser.add_argument("--since", metavar="DATE", help="calls that began on this day (UTC) or later: 2026-11-24")
        parser.add_argument("--campaign", metavar="ID", help="calls of this campaign only")
        parser.add_argument("--all", action="store_true", help="every call there is")
        parser.add_argument("--now", action="store_true", help="judge them here and wait, instead of in the workers")

    def handle(self, *_args: Any, since: str | None, campaign: str | None, **options: Any) -> None:
        """Ask for the judgements."""
        if not (since or campaign or options["all"]):
            message = "say which calls: --since, --campaign or --all"
            raise CommandError(message)
        calls = CallSession.objects.ended().filter(agent_version__isnull=False).order_by("pk")
        if since:
            calls = calls.filter(started_at__gte=_day(since))
        if campaign:
            calls = calls.filter(attempts__campaign_attempt__member__campaign=_uuid(campaign))
        asked = judged = 0
        ids = list(calls.values_list("pk", flat=True))
        for start in range(0, len(ids), _ROWS_AT_ONCE):
            part = ids[start : start + _ROWS_AT_ONCE]
            asked += services.ask_again(part, at=timezone.now())
            if options["now"]:
                judged += sum(analytics.analyse_call(session_id, now=timezone.now()) for session_id in part)
                self.stdout.write(f"{judged} of {len(ids)} judged")
        if not options["now"]:
            self.stdout.write(f"{asked} calls wait to be judged; the workers take them a hundred at a time.")


def _day(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        message = f"--since {text}: write the day as 2026-11-24"
        raise CommandError(message) from None


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        message = f"--campaign {text}: this is no campaign's id; it stands in the address of the campaign's page"
        raise CommandError(message) from None
