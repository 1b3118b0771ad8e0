import asyncio

import numpy as np
import pytest

from calls.engine.events import AudioHeard, RecognitionFailed, TranscriptReceived
from calls.engine.phonecall import BeepHeard
from calls.enums import AudioEncoding, Direction, Role, Speaker
from calls.errors import ProviderRejectedError, ProviderUnavailableError
from calls.providers.base import VoiceReport
from calls.runner.hearing import Hearing
from calls.runner.options import CallOptions
from calls.runner.simulation import run_virtually
from calls.wire.audio import AudioFormat
from tests.calls.runner.fakes import FakeDetector, FakeRecogniser, FakeShell, agent
from tests.calls.wire.test_echo import late, level, pcm, speech

WIRE = AudioFormat(rate=8000)
LOUD, QUIET = b"\1" * 320, bytes(320)


def make(recogniser: FakeRecogniser, audio: AudioFormat = WIRE) -> tuple[Hearing, FakeShell]:
    shell = FakeShell()
    return Hearing(shell, agent(), CallOptions(input=audio, output=WIRE), recogniser, FakeDetector()), shell


def test_each_frame_moves_the_audio_clock_and_carries_the_verdict() -> None:
    async def work() -> list[object]:
        hearing, shell = make(FakeRecogniser())
        for frame in (QUIET, LOUD, LOUD, QUIET):
            hearing.hear(frame)
        return list(shell.events)

    assert run_virtually(work()) == [
        AudioHeard(20, 0, 0),
        AudioHeard(40, 40, 20),
        AudioHeard(60, 60, 40),
        AudioHeard(80, 60, 0),
    ]


def test_a_verdict_that_comes_later_is_told_only_where_it_says_something_new() -> None:
    async def work() -> list[object]:
        hearing, shell = make(FakeRecogniser())
        hearing.hear(QUIET)
        for report in (
            VoiceReport(20, 0, 0, is_speech=False),
            VoiceReport(20, 12, 8, is_speech=True),
            VoiceReport(20, 12, 8, is_speech=True),
            VoiceReport(20, 12, 0, is_speech=False),
        ):
            hearing._report_voice(report)
        return list(shell.events)

    assert run_virtually(work()) == [AudioHeard(20, 0, 0), AudioHeard(20, 12, 8), AudioHeard(20, 12, 0)]


def test_the_recogniser_is_told_when_the_gate_opens_and_closes() -> None:
    async def work() -> list[bool]:
        recogniser = FakeRecogniser()
        hearing, _ = make(recogniser)
        for frame in (QUIET, LOUD, LOUD, QUIET, QUIET, LOUD):
            hearing.hear(frame)
        return recogniser.streams[0].hints

    assert run_virtually(work()) == [True, False, True]


def test_a_new_input_format_keeps_the_recognisers_stream_and_the_audio_clock() -> None:
    async def work() -> tuple[list[object], int, int]:
        recogniser = FakeRecogniser(rates=(8000,))
        hearing, shell = make(recogniser)
        hearing.hear(LOUD)
        hearing.change_input(AudioFormat(rate=16_000))
        for _ in range(50):
            hearing.hear(b"\1" * 640)
        return [shell.events[0], shell.events[-1]], len(recogniser.streams), len(recogniser.streams[0].heard)

    events, streams, heard = run_virtually(work())
    assert events == [AudioHeard(20, 20, 20), AudioHeard(1020, 1020, 1000)]
    assert streams == 1
    assert heard / 16 == pytest.approx(1020, abs=5)


def test_a_frame_that_cannot_be_converted_counts_as_silence_of_its_length() -> None:
    async def work() -> tuple[int, int]:
        recogniser = FakeRecogniser(rates=(16_000,))
        hearing, _ = make(recogniser)
        hearing.hear(b"\1" * 321)
        return hearing.conversion_errors, len(recogniser.streams[0].heard)

    errors, heard = run_virtually(work())
    assert errors == 1
    assert heard / 32 == pytest.approx(20, abs=1)


def test_companded_audio_is_judged_as_pcm_and_passes_to_a_recogniser_that_takes_it() -> None:
    async def work() -> tuple[bytes, int]:
        recogniser = FakeRecogniser()
        hearing, shell = make(recogniser, AudioFormat(encoding=AudioEncoding.MULAW, rate=8000))
        hearing.hear(b"\xff" * 160)
        return bytes(recogniser.streams[0].heard), len(shell.sink.audio[0][2])

    assert run_virtually(work()) == (b"\xff" * 160, 320)


def test_audio_is_recorded_without_gaps_until_the_caller_pauses() -> None:
    async def work() -> list[float]:
        hearing, shell = make(FakeRecogniser())
        await asyncio.sleep(0.02)
        hearing.hear(LOUD)
        await asyncio.sleep(0.05)  # late by 30 ms: the network, not the caller
        hearing.hear(LOUD)
        await asyncio.sleep(2)
        hearing.hear(LOUD)
        assert {side for side, *_ in shell.sink.audio} == {Speaker.CALLER}
        return [round(at) for _, at, _, _ in shell.sink.audio]

    assert run_virtually(work()) == [0, 20, 2050]


def test_what_the_recogniser_says_goes_to_the_engine_until_it_is_lost() -> None:
    async def work() -> list[object]:
        recogniser = FakeRecogniser()
        hearing, shell = make(recogniser)
        recogniser.streams[0].emit(TranscriptReceived("hello", is_final=True))
        recogniser.streams[0].emit(ProviderUnavailableError("gone", provider="deepgram", role=Role.STT))
        await hearing.run()
        return list(shell.events)

    assert run_virtually(work()) == [
        TranscriptReceived("hello", is_final=True),
        RecognitionFailed("deepgram: gone"),
    ]


def test_a_recogniser_that_refuses_the_connection_was_never_reached() -> None:
    async def work() -> list[object]:
        recogniser = FakeRecogniser()
        recogniser.refusal = ProviderRejectedError("HTTP 401", provider="deepgram", role=Role.STT)
        hearing, shell = make(recogniser)
        await hearing.run()
        return list(shell.events)

    assert run_virtually(work()) == [RecognitionFailed("deepgram: HTTP 401", connecting=True)]


def test_a_beep_is_listened_for_only_while_it_says_something() -> None:
    tone = (np.sin(2 * np.pi * 1000 * np.arange(3200) / 8000) * 12_000).astype("<i2").tobytes() + bytes(4000)

    async def work(*, is_wanted: bool) -> list[float]:
        hearing, shell = make(FakeRecogniser())
        hearing.listens_for_beep = is_wanted
        for at in range(0, len(tone), 320):
            hearing.hear(tone[at : at + 320])
        return [event.hz for event in shell.events if isinstance(event, BeepHeard)]

    assert run_virtually(work(is_wanted=True)) == [pytest.approx(1000, abs=5)]
    assert run_virtually(work(is_wanted=False)) == []


def test_the_agents_own_voice_that_comes_back_by_telephone_reaches_neither_recogniser_nor_detector() -> None:
    def heard_of_the_echo(telephone: Direction | None) -> tuple[float, float]:
        async def work() -> tuple[float, float]:
            recogniser, shell = FakeRecogniser(), FakeShell()
            options = CallOptions(input=WIRE, output=WIRE, telephone=telephone)
            hearing = Hearing(shell, agent(), options, recogniser, FakeDetector())
            agents = speech(1, 8)
            shell.echo.play(0.0, pcm(agents), 8000)
            for at in range(0, len(agents), 160):
                hearing.hear(pcm(late(agents, 180, -22)[at : at + 160]))
            late_part = bytes(recogniser.streams[0].heard)[-96_000:]
            recorded = b"".join(sound for _, _, sound, _ in shell.sink.audio)[-48_000:]
            return level(late_part), level(recorded)

        return run_virtually(work())

    by_telephone, kept = heard_of_the_echo(Direction.OUTBOUND)
    by_browser, _ = heard_of_the_echo(None)
    assert by_telephone < by_browser - 20
    assert abs(kept - by_browser) < 1


@pytest.mark.parametrize("telephone", [Direction.OUTBOUND, None])
def test_a_recogniser_is_told_whether_it_hears_a_telephone(telephone: Direction | None) -> None:
    async def work() -> list[bool]:
        recogniser = FakeRecogniser()
        options = CallOptions(input=WIRE, output=WIRE, telephone=telephone)
        Hearing(FakeShell(), agent(), options, recogniser, FakeDetector())
        return [stream.options.is_telephone for stream in recogniser.streams]

    assert run_virtually(work()) == [telephone is not None]
