"""Files on their way out, block by block."""

import asyncio
import mimetypes
from collections.abc import AsyncIterator, Iterator
from typing import IO

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.http import content_disposition_header

BLOCK_BYTES = 256 * 1024


def streamed(request: HttpRequest, blocks: Iterator[bytes]) -> Iterator[bytes] | AsyncIterator[bytes]:
    """Give the blocks as the server of this request can send them one by one.

    Under ASGI a plain iterator would be read into memory as a whole before the first byte goes out.
    """
    return _in_thread(blocks) if isinstance(request, ASGIRequest) else blocks


async def _in_thread(blocks: Iterator[bytes]) -> AsyncIterator[bytes]:
    while block := await asyncio.to_thread(next, blocks, b""):
        yield block


def attachment(request: HttpRequest, file: IO[bytes], *, filename: str) -> StreamingHttpResponse:
    """Send a file to be saved under a name; it is closed when it is out."""
    kind = mimetypes.guess_type(filename)[0] or "application/octet-stream"
    disposition = content_disposition_header(as_attachment=True, filename=filename) or "attachment"
    headers = {"Content-Disposition": disposition, "Cache-Control": "private, no-store"}
    return StreamingHttpResponse(streamed(request, _blocks(file)), content_type=kind, headers=headers)


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while block := file.read(BLOCK_BYTES):
            yield block
