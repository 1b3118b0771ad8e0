"""``CELERY_BROKER_URL`` to the options of its transport."""

from pathlib import Path
from typing import Any

FILESYSTEM = "filesystem://localhost//"
"""The default; kombu warns about a URL without a host."""
_CONNECT_SECONDS = 2.0


def broker_options(url: str, data_dir: Path) -> dict[str, Any]:
    """Give kombu's transport options; for the file-based broker the queue's folders are made under ``data_dir``.

    A publisher waits seconds at most when a server is away: a message is only a wake-up, the work lies in tables.
    """
    if url.startswith("filesystem:"):
        queue = data_dir / "queue"
        queue.mkdir(parents=True, exist_ok=True)
        # One folder for both directions: what a publisher lays down is what the worker picks up.
        return {
            "data_folder_in": str(queue),
            "data_folder_out": str(queue),
            "control_folder": str(queue / "control"),
            "polling_interval": 0.1,
        }
    if url.startswith(("redis://", "rediss://")):
        return {
            "visibility_timeout": 3600,
            "socket_timeout": 5.0,
            "socket_connect_timeout": _CONNECT_SECONDS,
            "max_retries": 1,
        }
    return {"connect_timeout": _CONNECT_SECONDS, "max_retries": 1}
