"""``ensure_demo``: the demo campaign, once."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from calls.models import Agent
from campaigns import services


class Command(BaseCommand):
    """Make the demo campaign for the default agent; one that was made before, or whose list was, stays as it is."""

    help = "Make the demo campaign over simulated people, where it never was."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Make it."""
        agent = Agent.objects.callable().order_by("-is_default", "name").first()
        if agent is None:
            self.stderr.write("There is no published agent; the demo needs one.")
            return
        if services.ensure_demo(agent, at=timezone.now()) is not None:
            self.stdout.write("The demo campaign is ready to be started.")
