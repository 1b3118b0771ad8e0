from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest
from django.core.handlers.asgi import ASGIRequest
from django.test import AsyncRequestFactory, RequestFactory

from vantum.downloads import BLOCK_BYTES, attachment

CONTENT = bytes(range(256)) * (BLOCK_BYTES // 256) + b"the rest"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    return path


def test_a_file_goes_out_under_its_name_and_kind(path: Path) -> None:
    response = attachment(RequestFactory().get("/"), path.open("rb"), filename="bad rows.csv")
    kept = {name: response[name] for name in ("Content-Type", "Content-Disposition", "Cache-Control")}
    assert kept == {
        "Content-Type": "text/csv",
        "Content-Disposition": 'attachment; filename="bad rows.csv"',
        "Cache-Control": "private, no-store",
    }
    assert b"".join(cast("list[bytes]", list(response))) == CONTENT


async def test_under_asgi_it_goes_out_block_by_block_and_is_closed(path: Path) -> None:
    request, file = AsyncRequestFactory().get("/"), path.open("rb")
    assert isinstance(request, ASGIRequest)
    response = attachment(request, file, filename="export.xlsx")
    assert response.is_async
    blocks = [len(block) async for block in cast("AsyncIterator[bytes]", response)]
    assert (blocks, file.closed) == ([BLOCK_BYTES, 8], True)
