from io import StringIO

import pytest
from django.core.management import call_command


@pytest.mark.django_db
def test_the_command_names_the_roles_it_changed() -> None:
    first, second = StringIO(), StringIO()
    call_command("ensure_roles", stdout=first)
    call_command("ensure_roles", stdout=second)
    assert first.getvalue().splitlines() == [
        f"{role} has its permissions." for role in ("Operator", "Supervisor", "Auditor", "Administrator")
    ]
    assert second.getvalue() == ""
