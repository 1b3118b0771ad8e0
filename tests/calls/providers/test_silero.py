"""Our evaluation of the network beside onnxruntime's, window by window and with what each remembers."""

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calls.providers.onnx_file import Floats, ModelFileError
from calls.providers.silero import STATE, load_networks
from calls.providers.vad import silero_path
from tests.calls.sounds import clicks, hiss, tone, voice
from tests.conftest import need

CALLS = 33
WINDOWS = 50
Judge = Callable[[Floats, Floats], list[float]]


@pytest.fixture
def model() -> Path:
    path = silero_path()
    need("Silero", is_there=path is not None, remedy="pip install --no-deps -r requirements-nodeps.txt")
    assert path
    return path


@pytest.fixture
def session(model: Path) -> Any:
    need("onnxruntime", is_there=bool(find_spec("onnxruntime")), remedy="pip install -r requirements-dev.txt")
    import onnxruntime  # noqa: PLC0415 (not there without the requirements of tests)

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


@cache
def sounds(rate: int) -> Floats:
    """Give windows (calls, windows, samples): speech, speech in noise, silence, noise, clicks, tones, full scale."""
    samples = WINDOWS * rate * 32 // 1000
    length = WINDOWS * 32
    rng = np.random.default_rng(rate)
    turns = np.repeat(rng.random(WINDOWS) < 0.5, rate * 32 // 1000)
    kinds: list[Callable[[int], Any]] = [
        lambda seed: voice(rate, length, seed=seed),
        lambda seed: voice(rate, length, seed=seed, level_dbfs=-45.0),
        lambda seed: voice(rate, length, seed=seed) * turns,
        lambda seed: voice(rate, length, seed=seed) + hiss(rate, length, seed=seed, level_dbfs=-25.0),
        lambda _: np.zeros(samples),
        lambda seed: hiss(rate, length, seed=seed, level_dbfs=-10.0 * seed),
        lambda seed: clicks(rate, length, seed=seed),
        lambda seed: tone(rate, 100.0 * (seed + 1), samples),
        lambda seed: np.random.default_rng(seed).integers(-32_768, 32_768, samples),
        lambda seed: np.where(np.arange(samples) // (seed + 1) % 2, 32_767, -32_768),
    ]
    heard = [kinds[seed % len(kinds)](seed) for seed in range(CALLS)]
    return (np.stack(heard) / 32_768).astype(np.float32).reshape(CALLS, WINDOWS, -1)


def runtimes(session: Any, rate: int) -> Judge:
    """Give onnxruntime's verdicts in the form of ours."""

    def judge(windows: Floats, memories: Floats) -> list[float]:
        heard = np.concatenate([memories[:, STATE:], windows], axis=1)
        state = np.stack([memories[:, : STATE // 2], memories[:, STATE // 2 : STATE]])
        scores, after = session.run(None, {"input": heard, "state": state, "sr": np.array(rate)})
        memories[:] = np.concatenate([after[0], after[1], heard[:, STATE - memories.shape[1] :]], axis=1)
        return [float(score) for score in scores[:, 0]]

    return judge


@pytest.mark.parametrize("rate", [8_000, 16_000])
@pytest.mark.parametrize("batch", [1, 3, 8, 16, 33])
def test_it_gives_what_onnxruntime_gives_over_many_windows(model: Path, session: Any, rate: int, batch: int) -> None:
    network = load_networks(model)[rate]
    calls = sounds(rate)
    scores = np.zeros((2, WINDOWS, CALLS))
    for which, judge in enumerate((network.judge, runtimes(session, rate))):
        memories = np.zeros((CALLS, network.memory), np.float32)
        for window in range(WINDOWS):
            for first in range(0, CALLS, batch):
                some = slice(first, first + batch)
                scores[which, window, some] = judge(calls[some, window], memories[some])
    assert np.abs(scores[0] - scores[1]).max() < 1e-5
    assert scores[0].max() > 0.9
    assert scores[0].min() < 0.01


@pytest.mark.parametrize("rate", [8_000, 16_000])
def test_both_remember_the_same(model: Path, session: Any, rate: int) -> None:
    network = load_networks(model)[rate]
    calls = sounds(rate)
    ours, theirs = (np.zeros((CALLS, network.memory), np.float32) for _ in range(2))
    for window in range(WINDOWS):
        network.judge(calls[:, window], ours)
        runtimes(session, rate)(calls[:, window], theirs)
        assert np.array_equal(ours[:, STATE:], theirs[:, STATE:])
        assert np.abs(ours[:, :STATE] - theirs[:, :STATE]).max() < 1e-3
        theirs[:] = ours


@pytest.mark.parametrize("rate", [8_000, 16_000])
def test_batches_of_other_sizes_in_between_change_nothing(model: Path, rate: int) -> None:
    """All sizes share their memory, and a larger batch than ever before moves it."""
    network, other = load_networks(model)[rate], load_networks(model)[rate]
    calls = sounds(rate)
    alone, among = np.zeros((2, 1, network.memory), np.float32)
    for window in range(30):
        expected = other.judge(calls[:1, window], alone)
        count = window % CALLS + 1
        network.judge(calls[:count, window], np.ones((count, network.memory), np.float32))
        assert network.judge(calls[:1, window], among) == expected
    assert np.array_equal(alone, among)


def changed(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data
    assert len(old) == len(new)
    return data.replace(old, new, 1)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"encoder.2.reparam_conv.weight", b"encoder.4.reparam_conv.weight"),
        (b"reflect", b"reflekt"),
        (b"strides@@", b"strides@\x20"),  # the step of the transform, 64
        (b"Sigmoid", b"Softmax"),
    ],
)
def test_a_file_with_another_network_is_refused(model: Path, tmp_path: Path, old: bytes, new: bytes) -> None:
    path = tmp_path / "silero_vad.onnx"
    path.write_bytes(changed(model.read_bytes(), old, new))
    with pytest.raises(ModelFileError, match=r"silero_vad\.onnx describes another network than that of silero-vad 6"):
        load_networks(path)


def test_a_file_with_other_weights_is_taken(model: Path, tmp_path: Path) -> None:
    """A release with weights that were trained once more works as well."""
    network = load_networks(model)[8_000]
    data = bytearray(model.read_bytes())
    place = data.index(network._cell[3].tobytes()[:400])
    data[place : place + 4] = np.float32(0.25).tobytes()
    path = tmp_path / "silero_vad.onnx"
    path.write_bytes(data)
    assert load_networks(path)[8_000]._cell[3, 0, 0] == np.float32(0.25)
