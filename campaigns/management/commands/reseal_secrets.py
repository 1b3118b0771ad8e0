"""``reseal_secrets``: the last step after the key of stored secrets was changed."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from campaigns import services


class Command(BaseCommand):
    """Seal all stored secrets with the key of now."""

    help = "Seal all stored secrets with SECRETS_KEY; the keys of SECRETS_OLD_KEYS are not needed afterwards."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Do it, and name those that no key opens."""
        done, unread = services.reseal_secrets()
        self.stdout.write(f"{done} secrets are sealed with the key of now.")
        if unread:
            message = f"No key opens {', '.join(unread)}: add the former one to SECRETS_OLD_KEYS, or give them anew."
            raise CommandError(message)
