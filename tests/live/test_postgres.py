"""The stored side against a real PostgreSQL: the same code, the same rows."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.campaigns.killed_import import WHOLE, kill_and_go_on

pytestmark = pytest.mark.live

ROOT = Path(__file__).resolve().parents[2]
SAME_TESTS = ("models", "services", "recorder", "telephony", "admin", "test_tasks.py", "test_analytics.py")


@pytest.fixture
def database(postgres_url: str) -> Iterator[str]:
    """The URL of a database of this test's own."""
    name = f"vantum_test_{os.getpid()}"
    administration = urlsplit(postgres_url)._replace(path="/postgres").geturl()
    with psycopg.connect(administration, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}"')
        yield urlsplit(postgres_url)._replace(path=f"/{name}").geturl()
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def test_models_services_recorder_and_pages_are_the_same_on_postgresql(database: str) -> None:
    environment = {**os.environ, "DATABASE_URL": database}
    environment.pop("TEST_RUN_DIR", None)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        *(f"tests/calls/{name}" for name in SAME_TESTS),
        "tests/campaigns/models",
        "tests/campaigns/services",
        "tests/campaigns/exports",
        "tests/campaigns/test_api.py",
    ]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-6000:]


def test_a_killed_process_loses_and_doubles_no_row_of_its_import(database: str, tmp_path: Path) -> None:
    assert kill_and_go_on({"DATA_DIR": str(tmp_path), "DATABASE_URL": database}) == WHOLE


def test_a_database_that_refuses_everybody_for_a_while_costs_no_word(database: str, tmp_path: Path) -> None:
    environment = {**os.environ, "DATABASE_URL": database, "DATA_DIR": str(tmp_path), "SECRET_KEY": "of this test"}
    environment["DJANGO_SETTINGS_MODULE"] = "vantum.settings"
    victim = subprocess.Popen(
        [sys.executable, "-m", "tests.live.outage"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    name = urlsplit(database).path[1:]
    administration = urlsplit(database)._replace(path="/postgres").geturl()
    assert victim.stdin
    assert victim.stdout
    try:
        with psycopg.connect(administration, autocommit=True) as connection:
            assert victim.stdout.readline() == "10 turns stored\n"
            connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
            victim.stdin.write("gone\n")
            victim.stdin.flush()
            assert victim.stdout.readline() == "100 turns recorded\n"
            connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
            victim.stdin.write("back\n")
            victim.stdin.flush()
            assert victim.stdout.readline() == "True 110 silence\n"
    finally:
        victim.stdin.close()
        victim.stdout.close()
        victim.kill()
        victim.wait()
