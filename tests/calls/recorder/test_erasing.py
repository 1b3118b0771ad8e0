from typing import Any

import pytest
from uuid_utils.compat import uuid7

from calls.models import Recording
from calls.recorder.erasing import erase_recording, erase_session_files
from calls.recorder.sink import recording_path
from tests.calls import rows


def test_the_files_of_one_conversation_go_and_those_of_others_stay(settings: Any) -> None:
    one, other = uuid7(), uuid7()
    paths = []
    for session_id in (one, other):
        sound = settings.RECORDINGS_DIR / recording_path(session_id)
        journals = [settings.JOURNAL_DIR / name / f"{session_id}.jsonl" for name in ("here", "there")]
        paths.append([sound, *journals, journals[0].with_suffix(".rejected")])
        for path in paths[-1]:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    erase_session_files(one)
    erase_session_files(one)
    assert [[path.exists() for path in each] for each in paths] == [[False] * 4, [True] * 4]


@pytest.mark.django_db
def test_a_recording_goes_with_its_row_and_one_without_a_file_too(settings: Any) -> None:
    session = rows.ended_call()
    recording = Recording.objects.create(session=session, path="aa/x.wav", rate=8000, duration_ms=1, complete=True)
    erase_recording(recording)
    assert not Recording.objects.exists()
    stuck = Recording.objects.create(session=session, path="aa", rate=8000, duration_ms=1, complete=True)
    (settings.RECORDINGS_DIR / "aa").mkdir(parents=True)
    with pytest.raises(OSError, match="aa"):
        erase_recording(stuck)
    assert Recording.objects.exists()
