import asyncio
import logging
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import pytest

from calls.engine.agent import VoiceActivity
from calls.errors import AudioError
from calls.providers import vad
from calls.providers.base import VoiceDetector, VoiceReport
from calls.providers.silero import STATE
from calls.providers.vad import EnergyDetector, SileroDetector, load_silero, silero_path
from calls.wire.vad import VoiceGate
from tests.calls.sounds import Sound, clicks, hiss, to_pcm, voice
from tests.conftest import need
from tests.processes import ROOT

SETTINGS = VoiceActivity()


@pytest.fixture
def silero() -> None:
    remedy = "pip install --no-deps -r requirements-nodeps.txt"
    need("Silero", is_there=silero_path() is not None, remedy=remedy)


@pytest.fixture
def _fresh_model() -> Iterator[None]:
    load_silero.cache_clear()
    yield
    load_silero.cache_clear()


def frames(pcm: bytes, rate: int, ms: int = 20) -> list[bytes]:
    size = rate * ms // 1000 * 2
    return [pcm[start : start + size] for start in range(0, len(pcm), size)]


def hear(detector: VoiceDetector, pcm: bytes, rate: int, settings: VoiceActivity = SETTINGS) -> list[VoiceReport]:
    """Give all reports of one call whose frames come one by one."""
    reports: list[VoiceReport] = []
    stream = detector.open(rate, settings, reports.append)
    for frame in frames(pcm, rate):
        stream.hear(frame)
    stream.close()
    return reports


def runs(reports: list[VoiceReport]) -> list[tuple[float, float]]:
    """Give beginning and end of each run of speech, in ms."""
    ends = {report.voiced_until_ms - report.voiced_ms: report.voiced_until_ms for report in reports if report.is_speech}
    return list(ends.items())


def spoken(rate: int, *, seed: int = 0, noise: float = -70.0) -> Sound:
    """One second of room, 1.2 seconds of speech, 0.8 seconds of room."""
    sound = np.concatenate([np.zeros(rate), voice(rate, 1200, seed=seed), np.zeros(rate * 8 // 10)])
    return sound + hiss(rate, 3000, seed=seed, level_dbfs=noise)


@pytest.mark.usefixtures("silero")
@pytest.mark.parametrize("rate", [8_000, 16_000, 11_025, 22_050, 44_100, 48_000])
def test_speech_is_found_where_it_is_at_any_rate(rate: int) -> None:
    reports = hear(SileroDetector(), to_pcm(spoken(rate)), rate)
    [(begin, end)] = runs(reports)
    assert begin == pytest.approx(1000, abs=30)
    assert end == pytest.approx(2200, abs=40)
    assert not reports[-1].is_speech
    assert reports[-1].until_ms > 2900


@pytest.mark.usefixtures("silero")
@pytest.mark.parametrize("rate", [8_000, 16_000])
@pytest.mark.parametrize("seed", [0, 2, 4])
def test_160_ms_of_speech_are_known_within_160_ms_of_its_first_frame(rate: int, seed: int) -> None:
    for silent in range(1000, 1080, 5):
        sound = np.concatenate([np.zeros(rate * silent // 1000), voice(rate, 400, seed=seed)])
        heard = frames(to_pcm(sound + hiss(rate, silent + 400)), rate)[: silent // 20 + 1 + 8]
        assert max(report.voiced_ms for report in hear(SileroDetector(), b"".join(heard), rate)) >= 160


@pytest.mark.usefixtures("silero")
@pytest.mark.parametrize("rate", [8_000, 16_000])
@pytest.mark.parametrize("seed", range(3))
def test_noise_and_clicks_are_no_speech(rate: int, seed: int) -> None:
    for sound in (hiss(rate, 3000, seed=seed, level_dbfs=-30), clicks(rate, 3000, seed=seed) + hiss(rate, 3000)):
        assert [report for report in hear(SileroDetector(), to_pcm(sound), rate) if report.voiced_ms >= 160] == []


class OpenGate(VoiceGate):
    """A gate that keeps what the model said."""

    heard: ClassVar[list[list[float]]] = []

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.own: list[float] = []
        self.heard.append(self.own)

    def judge(self, probability: float, levels: Sequence[float]) -> VoiceReport:
        self.own.append(probability)
        return super().judge(probability, levels)


@pytest.mark.usefixtures("silero")
@pytest.mark.parametrize("rate", [8_000, 16_000])
async def test_many_calls_judged_together_give_what_each_would_give_alone(
    rate: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vad, "VoiceGate", OpenGate)
    monkeypatch.setattr(OpenGate, "heard", [])
    calls = [to_pcm(spoken(rate, seed=seed)) for seed in range(20)]
    for pcm in calls:
        hear(SileroDetector(), pcm, rate)
    detector = SileroDetector()
    together: list[list[VoiceReport]] = [[] for _ in calls]
    streams = [detector.open(rate, SETTINGS, reports.append) for reports in together]
    for parts in zip(*(frames(pcm, rate) for pcm in calls), strict=True):
        for stream, part in zip(streams, parts, strict=True):
            stream.hear(part)
        await asyncio.sleep(0)
    await settled(together, windows=93)
    assert [len(probabilities) for probabilities in OpenGate.heard] == [93] * 40
    assert OpenGate.heard[20:] == [pytest.approx(probabilities, abs=1e-5) for probabilities in OpenGate.heard[:20]]


async def settled(calls: list[list[VoiceReport]], windows: int) -> None:
    """Wait until every call has the verdict of its last window."""
    async with asyncio.timeout(10):
        while any(not reports or reports[-1].until_ms < windows * 32 for reports in calls):  # noqa: ASYNC110 (callbacks)
            await asyncio.sleep(0.002)


@pytest.mark.usefixtures("silero")
async def test_a_burst_is_judged_in_order_and_leaves_the_loop_free_in_between() -> None:
    reports: list[VoiceReport] = []
    stream = SileroDetector().open(16_000, SETTINGS, reports.append)
    stream.hear(to_pcm(spoken(16_000)))
    assert reports == []
    turns = 0
    async with asyncio.timeout(10):
        while len(reports) < 93:
            await asyncio.sleep(0)
            turns += 1
    assert [report.until_ms for report in reports] == [32.0 * (index + 1) for index in range(93)]
    assert turns >= 93


@pytest.mark.usefixtures("silero")
@pytest.mark.parametrize("others", [0, 20])
async def test_after_close_nothing_is_reported_any_more(others: int) -> None:
    detector = SileroDetector()
    streams = [detector.open(8_000, SETTINGS, lambda _: None) for _ in range(others)]
    reports: list[VoiceReport] = []
    stream = detector.open(8_000, SETTINGS, reports.append)
    stream.hear(bytes(2 * 250))
    stream.hear(bytes(2 * 6))
    stream.close()
    heard = len(reports)
    stream.hear(bytes(16_000))
    await asyncio.sleep(0.02)
    assert (len(reports), heard) == (heard, 0 if others else 1)
    assert len(streams) == others


@pytest.mark.usefixtures("silero")
async def test_what_one_call_raises_keeps_nothing_from_the_others() -> None:
    raised: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: raised.append(context["exception"]))

    def fail(_report: VoiceReport) -> None:
        message = "a bug"
        raise ZeroDivisionError(message)

    detector = SileroDetector()
    told: list[list[VoiceReport]] = [[] for _ in range(20)]
    streams = [detector.open(8_000, SETTINGS, fail if i == 3 else told[i].append) for i in range(20)]
    for stream in streams:
        stream.hear(bytes(2 * 256))
    await settled([reports for index, reports in enumerate(told) if index != 3], windows=1)
    assert [len(reports) for reports in told] == [0 if index == 3 else 1 for index in range(20)]
    assert [type(error) for error in raised] == [ZeroDivisionError]


@pytest.mark.usefixtures("silero")
def test_settings_are_each_calls_own() -> None:
    pcm = to_pcm(spoken(8_000))
    detector = SileroDetector()
    deaf = hear(detector, pcm, 8_000, VoiceActivity(min_level_dbfs=-1.0))
    assert not any(report.is_speech for report in deaf)
    assert any(report.is_speech for report in hear(detector, pcm, 8_000))


@pytest.mark.usefixtures("silero")
def test_the_model_is_asked_about_the_beginning_of_a_silence_only(monkeypatch: pytest.MonkeyPatch) -> None:
    networks = load_silero()
    assert networks
    judge = networks[8_000].judge
    asked: list[int] = []

    def counted(windows: Any, memories: Any) -> list[float]:
        asked.append(len(windows))
        return judge(windows, memories)

    monkeypatch.setattr(networks[8_000], "judge", counted)
    reports = hear(SileroDetector(), bytes(16 * 5000), 8_000)
    assert (len(asked), reports[-1].until_ms) == (10, 4992)


@pytest.mark.usefixtures("silero")
@pytest.mark.parametrize("rate", [8_000, 16_000])
def test_after_a_silence_the_model_hears_the_end_of_it_before_the_next_window(rate: int) -> None:
    room = to_pcm(hiss(rate, 50 * 32, level_dbfs=-80.0))
    stream: Any = SileroDetector().open(rate, SETTINGS, lambda _: None)
    for part in frames(room, rate):
        stream.hear(part)
    end = np.frombuffer(room, "<i2")[-rate * 4 // 1000 :] / np.float32(32_768)
    assert end.any()
    assert np.array_equal(stream.memory[STATE:], end)


@pytest.mark.usefixtures("_fresh_model")
def test_without_the_model_speech_is_still_found_and_the_log_says_once_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(vad, "find_spec", lambda _: None)
    with caplog.at_level(logging.WARNING):
        reports = hear(SileroDetector(), to_pcm(spoken(16_000)), 16_000)
        hear(SileroDetector(), bytes(3200), 16_000)
    assert reports == hear(EnergyDetector(), to_pcm(spoken(16_000)), 16_000)
    assert max(report.voiced_ms for report in reports) > 1000
    assert [record.getMessage() for record in caplog.records] == [
        "silero-vad is not installed (requirements-nodeps.txt): voice is told from noise without a model"
    ]


@pytest.mark.usefixtures("silero", "_fresh_model")
def test_a_model_file_that_cannot_be_read_is_as_good_as_none(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Any
) -> None:
    broken = tmp_path / "silero_vad.onnx"
    broken.write_bytes(b"not a model")
    monkeypatch.setattr(vad, "silero_path", lambda: broken)
    assert load_silero() is None
    assert caplog.records[0].getMessage().startswith("the voice activity model cannot be used")


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
def test_the_energy_detector_finds_speech_in_a_quiet_room_and_none_in_noise(rate: int) -> None:
    reports = hear(EnergyDetector(), to_pcm(spoken(rate)), rate)
    [(begin, end)] = runs(reports)
    assert begin == pytest.approx(1000, abs=30)
    assert end == pytest.approx(2200, abs=60)
    noise = hear(EnergyDetector(), to_pcm(hiss(rate, 3000, level_dbfs=-30)), rate)
    assert not any(report.voiced_ms >= 160 for report in noise)


@pytest.mark.parametrize("detector", [SileroDetector, EnergyDetector])
def test_half_a_sample_is_dropped_and_a_rate_out_of_range_refused(detector: type[Any]) -> None:
    reports: list[VoiceReport] = []
    stream = detector().open(8_000, SETTINGS, reports.append)
    stream.hear(bytes(513))
    stream.hear(bytes(1))
    assert [report.until_ms for report in reports] == [32]
    with pytest.raises(AudioError):
        detector().open(4_000, SETTINGS, reports.append)


@pytest.mark.usefixtures("silero")
def test_warming_up_loads_the_model_without_its_package_and_without_a_runtime() -> None:
    code = (
        "import asyncio, sys\n"
        "from calls.providers.vad import SileroDetector, load_silero\n"
        "asyncio.run(SileroDetector().warm_up())\n"
        "print(load_silero.cache_info().currsize, {'silero_vad', 'torch', 'onnxruntime'} & set(sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout == "1 set()\n"
