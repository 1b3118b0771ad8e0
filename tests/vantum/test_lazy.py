import subprocess
import sys
from pathlib import Path

from django.test import Client

from tests.processes import ROOT, environment


def test_the_api_is_not_imported_before_it_is_asked_for(tmp_path: Path) -> None:
    code = (
        "import sys, vantum.server, vantum.asgi\n"
        "from django.urls import resolve; resolve('/api/v1/contacts')\n"
        "print([name for name in ('ninja', 'pydantic', 'openpyxl') if name in sys.modules])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], env=environment(tmp_path), cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ended.stdout == "[]\n"


def test_an_address_that_is_not_there_is_not_found(client: Client) -> None:
    assert client.get("/api/v1/nothing/here").status_code == 404
