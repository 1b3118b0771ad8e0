"""Tasks that a worker under test runs."""

import os
from pathlib import Path

from celery import shared_task


@shared_task  # type: ignore[untyped-decorator]  # (Celery ships no types)
def leave_mark(*, path: str, text: str) -> None:
    """Write the text and the worker's process id."""
    draft = Path(path).with_suffix(".draft")
    draft.write_text(f"{text} {os.getpid()}")
    draft.rename(path)
