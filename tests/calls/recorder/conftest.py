from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _folders_of_this_test(settings: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Give each test journals and recordings of its own."""
    folder = tmp_path_factory.mktemp("records")
    settings.JOURNAL_DIR = folder / "journal"
    settings.RECORDINGS_DIR = folder / "recordings"
