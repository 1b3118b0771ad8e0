import asyncio

import pytest

from calls.engine.events import ReplyFailed
from calls.enums import Role
from calls.errors import AudioError, ProviderUnavailableError
from calls.providers.base import SpeechOptions
from calls.runner.simulation import run_virtually
from calls.runner.voice import ReplyVoice, SentenceBuffer
from calls.wire.audio import AudioFormat
from tests.calls.runner.fakes import FakeShell, FakeSpeechStream, FakeSynthesiser, agent

WIRE = AudioFormat(rate=8000)


def make() -> tuple[ReplyVoice, FakeShell, list[AudioError]]:
    shell, errors = FakeShell(), list[AudioError]()
    voice = ReplyVoice(
        1,
        WIRE,
        receive=shell.receive,
        note_failure=shell.failures.append,
        on_audio=lambda: None,
        on_conversion_error=errors.append,
    )
    return voice, shell, errors


def stream_of(synthesiser: FakeSynthesiser) -> FakeSpeechStream:
    return synthesiser.open(SpeechOptions(format=WIRE, spec=agent()))


def test_a_buffer_gives_its_audio_from_the_front() -> None:
    buffer = SentenceBuffer()
    buffer.audio += b"abcdef"
    assert (buffer.take(4), buffer.take(4), buffer.is_empty) == (b"abcd", b"ef", True)


def test_each_sentence_gets_its_own_audio_and_is_complete_at_its_end() -> None:
    async def work() -> list[tuple[int, bool]]:
        voice, _, _ = make()
        assert voice.say(0, "One.", stream_of(FakeSynthesiser()))
        running = asyncio.create_task(voice.run())
        await asyncio.sleep(1)
        voice.end_text()
        await running
        return [(len(buffer.audio), buffer.is_complete) for buffer in voice.sentences.values()]

    assert run_virtually(work()) == [(4 * 60 * 16, True)]


def test_a_synthesiser_of_another_rate_is_converted_sentence_by_sentence() -> None:
    async def work() -> list[float]:
        voice, _, _ = make()
        stream = stream_of(FakeSynthesiser(audio=AudioFormat(rate=22_050)))
        voice.say(0, "One.", stream)
        voice.say(1, "Two three.", stream)
        voice.end_text()
        await voice.run()
        return [WIRE.duration_ms(len(buffer.audio)) for buffer in voice.sentences.values()]

    assert run_virtually(work()) == pytest.approx([240, 600], abs=1)


def test_a_failure_is_an_event_with_its_role() -> None:
    async def work() -> list[object]:
        voice, shell, _ = make()
        synthesiser = FakeSynthesiser()
        synthesiser.failures = [ProviderUnavailableError("gone", provider="cartesia", role=Role.TTS)]
        voice.say(0, "One.", stream_of(synthesiser))
        voice.end_text()
        await voice.run()
        return list(shell.events)

    assert run_virtually(work()) == [ReplyFailed(1, Role.TTS, "cartesia: gone", retryable=True)]


def test_another_synthesiser_begins_anew_with_none_of_the_audio_before() -> None:
    async def work() -> tuple[list[bool], dict[int, int]]:
        voice, _, _ = make()
        first, second = stream_of(FakeSynthesiser()), stream_of(FakeSynthesiser())
        changes = [voice.change_tier(0), voice.say(0, "One.", first), voice.say(1, "Two.", first)]
        voice.sentences[0].audio += b"half"
        changes += [voice.change_tier(1), voice.say(0, "One.", second), voice.change_tier(1)]
        return changes, {number: len(buffer.audio) for number, buffer in voice.sentences.items()}

    assert run_virtually(work()) == ([False, True, False, True, True, False], {0: 0})


def test_what_breaks_off_leaves_nothing_in_the_conversion_of_another_synthesiser() -> None:
    async def work() -> tuple[list[object], float]:
        voice, shell, _ = make()
        broken = FakeSynthesiser(audio=AudioFormat(rate=44_100))
        broken.breaks = [ProviderUnavailableError("gone", provider="cartesia", role=Role.TTS)]
        voice.say(0, "One.", stream_of(broken))
        await voice.run()
        voice.change_tier(1)
        voice.say(0, "One.", stream_of(FakeSynthesiser(audio=AudioFormat(rate=16_000))))
        voice.end_text()
        await voice.run()
        return list(shell.events), WIRE.duration_ms(len(voice.sentences[0].audio))

    events, duration = run_virtually(work())
    assert events == [ReplyFailed(1, Role.TTS, "cartesia: gone", retryable=True)]
    assert duration == pytest.approx(240, abs=1)


def test_a_context_is_cancelled_before_its_failure_is_told() -> None:
    async def work() -> list[bool]:
        synthesiser = FakeSynthesiser()
        synthesiser.breaks = [ProviderUnavailableError("gone", provider="cartesia", role=Role.TTS)]
        told: list[bool] = []
        voice = ReplyVoice(
            1,
            WIRE,
            receive=lambda _: told.append(synthesiser.contexts[0].is_cancelled),
            note_failure=lambda _: None,
            on_audio=lambda: None,
            on_conversion_error=lambda _: None,
        )
        voice.say(0, "One.", stream_of(synthesiser))
        await voice.run()
        return told

    assert run_virtually(work()) == [True]


def test_a_line_that_is_at_hand_is_complete_at_once_and_ends_with_the_text() -> None:
    async def work() -> tuple[bool, bool, bool]:
        voice, _, _ = make()
        voice.lay(0, b"audio")
        complete = voice.sentences[0].is_complete
        voice.end_text()
        before = voice.is_all_sent
        voice.next_sentence = 1
        return complete, before, voice.is_all_sent

    assert run_virtually(work()) == (True, False, True)
