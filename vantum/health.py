"""``/health/live``: the process answers. ``/health/ready``: it can take a call now, or what stands in the way."""

import asyncio
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from kombu.exceptions import OperationalError

from calls.live import live_calls
from vantum.celery import app
from vantum.logs import redact

_SECONDS = 3.0
"""What one look at one part may take; a load balancer asks again soon."""


class NotReadyError(Exception):
    """A part cannot do its work; the text is what an operator reads."""


@dataclass(frozen=True)
class Verdict:
    """What was found about one part."""

    ok: bool
    detail: str
    took_ms: int


class Part:
    """One thing that readiness rests on, looked at in a thread of its own.

    A look that hangs is not repeated while it hangs: however often /health/ready is asked, one thread waits.
    """

    def __init__(self, name: str, look: Callable[[], str]) -> None:
        self.name = name
        self._look = look
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=f"health-{name}")
        self._running: Future[Verdict] | None = None

    async def verdict(self, seconds: float = _SECONDS) -> Verdict:
        """Look, and give up waiting after ``seconds``."""
        if self._running is None or self._running.done():
            self._running = self._executor.submit(self._judge)
        began = time.monotonic()
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.shield(asyncio.wrap_future(self._running))
        except TimeoutError:
            return Verdict(ok=False, detail=f"no answer within {seconds:g} s", took_ms=_since(began))

    def _judge(self) -> Verdict:
        began = time.monotonic()
        try:
            return Verdict(ok=True, detail=self._look(), took_ms=_since(began))
        except (NotReadyError, DatabaseError, OperationalError, OSError) as error:
            return Verdict(ok=False, detail=redact(str(error).strip() or type(error).__name__), took_ms=_since(began))


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def look_at_database() -> str:
    """Ask the database for nothing; a connection of this thread is opened and closed again."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return connection.vendor
    finally:
        connection.close()


def look_at_broker() -> str:
    """Connect to the broker, or see that the folder of the file-based one takes files."""
    options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    if "data_folder_in" in options:
        _see_writable(Path(options["data_folder_in"]))
        return "filesystem"
    with app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, timeout=_SECONDS)
        return str(broker.transport.driver_type)


def look_at_channel_layer() -> str:
    """Ping Redis where the layer lies in it; the layer of one process is always there."""
    if not settings.REDIS_URL:
        return "in memory"
    import redis  # noqa: PLC0415 (an installation without it does not pay for it)

    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS
        ) as client:
            client.ping()
    except redis.RedisError as error:
        raise NotReadyError(str(error)) from error
    return "redis"


def look_at_journal() -> str:
    """See that calls can be journalled: a turn that cannot be written down would be lost by a crash."""
    folder = Path(settings.JOURNAL_DIR)
    _see_writable(folder)
    stat = os.statvfs(folder)
    free_mib = stat.f_bavail * stat.f_frsize // 2**20
    if free_mib < settings.MIN_FREE_MIB:
        message = f"{folder} has {free_mib} MiB left; MIN_FREE_MIB asks for {settings.MIN_FREE_MIB}"
        raise NotReadyError(message)
    return f"{free_mib} MiB free"


def _see_writable(folder: Path) -> None:
    probe = folder / f".probe-{os.getpid()}"
    folder.mkdir(parents=True, exist_ok=True)
    probe.write_bytes(b"vantum")
    probe.unlink()


PARTS = (
    Part("database", look_at_database),
    Part("broker", look_at_broker),
    Part("channel_layer", look_at_channel_layer),
    Part("journal", look_at_journal),
)


async def live(_request: HttpRequest) -> HttpResponse:
    """Answer 200 whatever else is broken: restarting this process would help nobody."""
    return JsonResponse({"status": "live"})


async def ready(_request: HttpRequest) -> HttpResponse:
    """Answer 200 when a call may come, else 503; the body names each part, its state and the reason."""
    verdicts = await asyncio.gather(*(part.verdict() for part in PARTS))
    parts = {
        part.name: {"ok": verdict.ok, "detail": verdict.detail, "ms": verdict.took_ms}
        for part, verdict in zip(PARTS, verdicts, strict=True)
    }
    is_draining = live_calls.is_draining
    on_the_line = f"{live_calls.count} live" + ("; draining, takes no new call" if is_draining else "")
    parts["calls"] = {"ok": not is_draining, "detail": on_the_line, "ms": 0}
    is_ready = all(part["ok"] for part in parts.values())
    body = {"status": "ready" if is_ready else "not ready", "parts": parts}
    response = JsonResponse(body, status=200 if is_ready else 503)
    # Django would log each 503 as an error; a load balancer asks every second.
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001 (its only switch)
    return response
