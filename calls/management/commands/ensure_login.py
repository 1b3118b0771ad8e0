"""``ensure_login``: make the first admin login."""

from typing import Any

from django.core.management.base import BaseCommand

from vantum.accounts import ensure_admin


class Command(BaseCommand):
    """Print the name and password of a new superuser, or that one exists."""

    help = "Make a superuser with a random password where none exists; the password is printed once and kept nowhere."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Make it."""
        login = ensure_admin()
        if login is None:
            self.stdout.write("A superuser exists; change a password with: manage.py changepassword NAME")
        else:
            self.stdout.write(f"login {login.name}, password {login.password}")
