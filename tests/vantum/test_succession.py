import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.processes import free_port
from vantum.succession import wait_for_another

READY = (200, b'{"status": "ready"}')


@contextmanager
def answering(*answers: tuple[int, bytes]) -> Iterator[tuple[str, list[str]]]:
    """Answer one request after the other, the last answer again and again."""
    asked: list[str] = []

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers[min(len(asked), len(answers) - 1)]
            asked.append(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Site) as site:
        thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{site.server_address[1]}", asked
        finally:
            site.shutdown()
            thread.join()


@pytest.mark.parametrize(
    "not_ready",
    [
        (503, b'{"status": "not ready"}'),
        (200, b'{"status": "not ready"}'),
        (200, b"<h1>We will be back soon</h1>"),
        (200, b"[]"),
    ],
)
async def test_another_process_is_there_when_the_public_address_says_ready(not_ready: tuple[int, bytes]) -> None:
    with answering(not_ready, not_ready, READY) as (url, asked):
        await wait_for_another(url, pause=0)
    assert asked == ["/health/ready"] * 3


async def test_where_nobody_answers_nobody_is_found() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await wait_for_another(f"http://127.0.0.1:{free_port()}", pause=0.01)
