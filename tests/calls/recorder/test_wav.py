import resource
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from calls.recorder.wav import StereoWav, recorded_ms


def read(path: Path) -> np.ndarray:
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth()) == (2, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)


def frames(*values: int) -> np.ndarray:
    return np.array([[value, -value] for value in values], np.int16)


def test_the_file_can_be_played_at_every_moment(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "call.wav"
    wav = StereoWav(path, 1000)
    heard = [read(path).tolist()]
    for piece in (frames(1, 2), frames(3)):
        wav.append(piece)
        heard.append(read(path).tolist())
    wav.close()
    assert heard == [[], [[1, -1], [2, -2]], [[1, -1], [2, -2], [3, -3]]]
    assert (wav.duration_ms, recorded_ms(path)) == (3, (3, 1000))


def test_one_channel_can_be_written_over(tmp_path: Path) -> None:
    wav = StereoWav(tmp_path / "call.wav", 1000)
    wav.append(frames(1, 2, 3))
    wav.overwrite(1, 1, np.array([8, 9], np.int16))
    wav.close()
    assert read(tmp_path / "call.wav").tolist() == [[1, -1], [2, 8], [3, 9]]


@pytest.mark.parametrize("content", [b"", b"RIFF", b"not a wav file at all, but long enough to be one, really"])
def test_what_cannot_be_played_has_no_length(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "call.wav"
    path.write_bytes(content)
    assert recorded_ms(path) is None
    assert recorded_ms(tmp_path / "nothing.wav") is None


@pytest.fixture
def small_disk() -> Iterator[None]:
    """No file may grow past 4 KB."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.usefixtures("small_disk")
def test_a_full_disk_leaves_what_was_written_playable(tmp_path: Path) -> None:
    wav = StereoWav(tmp_path / "call.wav", 1000)
    wav.append(np.ones((1000, 2), np.int16))
    with pytest.raises(OSError, match="File too large"):
        wav.append(np.ones((1000, 2), np.int16))
    wav.close()
    assert len(read(tmp_path / "call.wav")) == 1000
