"""The sound of a call, for those who may see calls."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_safe

from calls.models import Recording
from vantum.downloads import BLOCK_BYTES, streamed

_RANGE = re.compile(r"bytes=(?P<first>\d*)-(?P<last>\d*)")


class _Span(NamedTuple):
    """Bytes from ``first`` to ``last``, both included."""

    first: int
    last: int


@require_safe
@login_required
def recording(request: HttpRequest, session_id: UUID) -> HttpResponseBase:
    """Give the stereo wav of a call, or the part of it that ``Range`` asks for (RFC 9110, section 14).

    Needs a staff user who may view recordings; one range is served, several are answered with the whole.
    """
    if not (request.user.is_staff and request.user.has_perm("calls.view_recording")):
        raise PermissionDenied
    row = Recording.objects.filter(session_id=session_id).first()
    path = settings.RECORDINGS_DIR / row.path if row else None
    if path is None or not path.is_file():
        message = "There is no recording of this call on this machine."
        raise Http404(message)
    size = path.stat().st_size
    header = request.headers.get("Range", "")
    span = _span(header, size) if header else None
    if header and span is None and _RANGE.fullmatch(header):
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    response = _stream(request, path, span or _Span(0, size - 1))
    if span:
        response.status_code = 206
        response["Content-Range"] = f"bytes {span.first}-{span.last}/{size}"
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "private, no-store"
    response["Content-Disposition"] = f'inline; filename="{session_id}.wav"'
    return response


def _span(header: str, size: int) -> _Span | None:
    """Read a range header; None where it cannot be satisfied or is not one single range of bytes."""
    found = _RANGE.fullmatch(header)
    if not found or not (found["first"] or found["last"]):
        return None
    if found["first"]:
        first, last = int(found["first"]), int(found["last"] or size - 1)
    else:
        first, last = max(size - int(found["last"]), 0), size - 1
    last = min(last, size - 1)
    return _Span(first, last) if first <= last else None


def _stream(request: HttpRequest, path: Path, span: _Span) -> StreamingHttpResponse:
    blocks = _blocks(path, span)
    length = span.last - span.first + 1
    headers = {"Content-Length": str(length)}
    return StreamingHttpResponse(streamed(request, blocks), content_type="audio/wav", headers=headers)


def _blocks(path: Path, span: _Span) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(span.first, os.SEEK_SET)
        left = span.last - span.first + 1
        while left > 0 and (block := file.read(min(left, BLOCK_BYTES))):
            left -= len(block)
            yield block
