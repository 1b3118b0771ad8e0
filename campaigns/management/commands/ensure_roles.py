"""``ensure_roles``: the four roles, each with exactly its permissions."""

from typing import Any

from django.core.management.base import BaseCommand

from campaigns import services


class Command(BaseCommand):
    """Make the groups Operator, Supervisor, Auditor and Administrator, or bring them back to what they are."""

    help = "Make the roles Operator, Supervisor, Auditor and Administrator, each with exactly its permissions."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Make them, and name those that were changed."""
        for name in services.ensure_roles():
            self.stdout.write(f"{name} has its permissions.")
