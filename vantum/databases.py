"""``DATABASE_URL`` to Django's settings, with the options that keep SQLite and PostgreSQL alike."""

from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

_SQLITE_OPTIONS = {
    # A deferred transaction that becomes a write fails at once with "database is locked"; an immediate one waits.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}
_POSTGRES_OPTIONS = {
    "connect_timeout": 5,
    # A server that vanishes without a word (its machine is gone, a firewall forgot the connection) is noticed in 25 s;
    # by the kernel's own rules a query would wait for it a quarter of an hour, an answer two hours.
    "tcp_user_timeout": 25_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    # Compiling a query takes 50 to 115 ms, longer than nearly all of ours run. PgBouncer lets it pass with
    # ``ignore_startup_parameters = options``.
    "options": "-c jit=off",
    "pool": {"min_size": 1, "max_size": 8, "timeout": 5},
}


def database_from_url(url: str, data_dir: Path) -> dict[str, Any]:
    """Give one entry of ``DATABASES``; no URL is a SQLite file in ``data_dir``."""
    if not url:
        data_dir.mkdir(parents=True, exist_ok=True)
        url = f"sqlite:///{data_dir / 'vantum.sqlite3'}"
    try:
        database: dict[str, Any] = dict(dj_database_url.parse(url))
    except (ValueError, dj_database_url.ParseError, dj_database_url.UnknownSchemeError) as error:
        message = (
            f"DATABASE_URL cannot be read ({error}); use sqlite:///path or postgres://user:password@host:port/name"
        )
        raise ImproperlyConfigured(message) from None
    engine = database["ENGINE"].rsplit(".", 1)[-1]
    if engine == "sqlite3":
        database["OPTIONS"] = {**_SQLITE_OPTIONS, **database.get("OPTIONS", {})}
        # Tests use a file too: an in-memory database is not what several threads and processes share in production.
        database["TEST"] = {"NAME": str(data_dir / "test.sqlite3")}
    elif engine == "postgresql":
        database["OPTIONS"] = {**_POSTGRES_OPTIONS, **database.get("OPTIONS", {})}
    else:
        message = f"DATABASE_URL names {engine}; SQLite and PostgreSQL are supported"
        raise ImproperlyConfigured(message)
    return database
