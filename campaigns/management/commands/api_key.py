"""``api_key``: a key of the API from the shell."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from campaigns import services
from campaigns.enums import Scope
from campaigns.models import ApiKey


class Command(BaseCommand):
    """Make a key, or revoke one by its beginning."""

    help = "Make a key of the API, which is shown once, or revoke one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Make or revoke."""
        parser.add_argument("name", nargs="?", default="", help="whose key it is")
        parser.add_argument("--scope", action="append", default=[], metavar="SCOPE", help=", ".join(Scope))
        parser.add_argument("--revoke", metavar="PREFIX", help="the key's beginning: vtm_1234abcd")

    def handle(self, *_args: Any, name: str, scope: list[str], revoke: str | None, **_options: Any) -> None:
        """Do it."""
        if revoke:
            row = ApiKey.objects.filter(prefix=revoke).first()
            if row is None:
                message = f"there is no key that begins with {revoke}"
                raise CommandError(message)
            done = services.revoke_api_key(row.pk, at=timezone.now())
            self.stdout.write("It opens nothing more." if done else "It was revoked before.")
            return
        try:
            _, key = services.make_api_key(name, scopes=scope, by=None, at=timezone.now())
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.stdout.write(key)
