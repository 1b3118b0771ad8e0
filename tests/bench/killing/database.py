"""The database of an installation under test: a SQLite file, or a PostgreSQL of its own on a free port."""

import os
import pwd
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from tests.processes import free_port

KINDS = ("sqlite", "postgres")
_START_SECONDS = 30.0
_SYSTEM_USER = "postgres"
"""PostgreSQL refuses to run as root; its packages make this user."""


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """Give the address of an empty database that is there for the length of the block."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'calls.sqlite3'}"
    else:
        with _cluster() as url:
            yield url


@contextmanager
def _cluster() -> Iterator[str]:
    """Make a cluster in a folder that goes away, and run its server. Raises ``RuntimeError`` where that cannot be."""
    port, user = free_port(), _SYSTEM_USER if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    # A folder of its own: the server's user cannot look into ours.
    with tempfile.TemporaryDirectory(prefix="killing-") as name:
        shutil.chown(name, user)
        data, log = Path(name) / "data", Path(name) / "log"
        new = (_binary("initdb"), "-D", data, "-U", "vantum", "-A", "trust", "-E", "UTF8", "--locale=C")
        subprocess.run(new, user=user, cwd=name, check=True, stdout=subprocess.DEVNULL)
        listening = ("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-p", str(port))
        with log.open("wb") as written:
            server = subprocess.Popen(
                (_binary("postgres"), "-D", data, *listening), user=user, cwd=name, stdout=written, stderr=written
            )
        try:
            _wait_for(port, server, log)
            yield f"postgres://vantum@127.0.0.1:{port}/postgres"
        finally:
            server.send_signal(signal.SIGINT)  # does not wait for clients
            server.wait()


def _wait_for(port: int, server: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            psycopg.connect(host="127.0.0.1", port=port, user="vantum", dbname="postgres", connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    message = f"the test's PostgreSQL did not start: {log.read_text()[-1000:]}"
    raise RuntimeError(message)


def _binary(name: str) -> str:
    """Find a program of the server's, which Debian keeps off the path. The newest release comes last."""
    kept = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[4]))
    found = shutil.which(name) or (str(kept[-1]) if kept else None)
    if found is None:
        message = f"--database postgres starts a server of its own and needs {name}; install PostgreSQL, or use sqlite"
        raise RuntimeError(message)
    return found


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    """Look into a database. Identifiers come as the database has them: hexadecimal digits, or ``UUID``."""
    if url.startswith("sqlite:///"):
        with closing(sqlite3.connect(f"file:{url.removeprefix('sqlite:///')}?mode=ro", uri=True, timeout=30)) as file:
            return file.execute(query).fetchall()
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()
