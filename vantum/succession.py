"""Whether somebody else takes the calls: asked at the very address at which the carrier would look for it."""

import asyncio
import json
from urllib.request import urlopen

_PAUSE_SECONDS = 1.0
_ANSWER_SECONDS = 3.0


async def wait_for_another(public_url: str, pause: float = _PAUSE_SECONDS) -> None:
    """Return when ``/health/ready`` at the public address says ready.

    A process that drains says of itself that it is not, so the word is another one's. Where this process is the only
    one, or cannot reach its own public address, this never returns.
    """
    while not await asyncio.to_thread(_is_ready, f"{public_url}/health/ready"):  # noqa: ASYNC110 (another process changes it)
        await asyncio.sleep(pause)


def _is_ready(url: str) -> bool:
    try:
        with urlopen(url, timeout=_ANSWER_SECONDS) as answer:  # noqa: S310 (PUBLIC_URL, which is http or https)
            return bool(json.load(answer).get("status") == "ready")
    except (OSError, ValueError, AttributeError):
        return False
