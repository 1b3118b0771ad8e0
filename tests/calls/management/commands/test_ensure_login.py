import re
from io import StringIO

import pytest
from django.core.management import call_command


@pytest.mark.django_db
def test_the_password_is_printed_once() -> None:
    first, second = StringIO(), StringIO()
    call_command("ensure_login", stdout=first)
    call_command("ensure_login", stdout=second)
    assert re.fullmatch(r"login admin, password \S{16}\n", first.getvalue())
    assert second.getvalue() == "A superuser exists; change a password with: manage.py changepassword NAME\n"
