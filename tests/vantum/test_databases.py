from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from vantum.databases import database_from_url


def test_no_url_is_a_sqlite_file_in_the_data_folder(tmp_path: Path) -> None:
    database = database_from_url("", tmp_path / "var")
    assert (database["ENGINE"], database["NAME"]) == (
        "django.db.backends.sqlite3",
        str(tmp_path / "var" / "vantum.sqlite3"),
    )
    assert (tmp_path / "var").is_dir()


def test_postgres_gets_a_pool_and_waits_for_no_server_that_is_gone(tmp_path: Path) -> None:
    database = database_from_url("postgres://vantum:secret@db:5433/calls", tmp_path)
    assert {name: database[name] for name in ("ENGINE", "HOST", "PORT", "NAME", "USER")} == {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": "db",
        "PORT": 5433,
        "NAME": "calls",
        "USER": "vantum",
    }
    assert database["OPTIONS"] == {
        "connect_timeout": 5,
        "options": "-c jit=off",
        "tcp_user_timeout": 25_000,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "pool": {"min_size": 1, "max_size": 8, "timeout": 5},
    }


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://root@localhost/x", "DATABASE_URL names mysql; SQLite and PostgreSQL are supported"),
        ("oops://x", "DATABASE_URL cannot be read"),
    ],
)
def test_another_database_is_refused_by_name(url: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match=message):
        database_from_url(url, tmp_path)


@pytest.mark.django_db
def test_sqlite_writes_ahead_and_waits_for_its_turn() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("this run uses PostgreSQL")
    with connection.cursor() as cursor:
        answers = {
            pragma: cursor.execute(f"PRAGMA {pragma}").fetchone()[0]
            for pragma in ("journal_mode", "busy_timeout", "foreign_keys")
        }
    assert answers == {"journal_mode": "wal", "busy_timeout": 20_000, "foreign_keys": 1}
    assert connection.settings_dict["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
