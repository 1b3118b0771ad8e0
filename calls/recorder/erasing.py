"""What the recorder has written, deleted."""

from uuid import UUID

from django.conf import settings

from calls.models import Recording
from calls.recorder.sink import recording_path


def erase_session_files(session_id: UUID) -> None:
    """Delete a conversation's recording and its journals, those set aside too. Raises ``OSError``.

    A journal that stayed would bring the conversation back at a replay.
    """
    (settings.RECORDINGS_DIR / recording_path(session_id)).unlink(missing_ok=True)
    for journal in settings.JOURNAL_DIR.glob(f"*/{session_id}.*"):
        journal.unlink(missing_ok=True)


def erase_recording(recording: Recording) -> None:
    """Delete a recording's file, then its row. Raises ``OSError``; then the row stays."""
    (settings.RECORDINGS_DIR / recording.path).unlink(missing_ok=True)
    recording.delete()
