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
    voice = ReplyVoice(1, WIRE, receive=shell.receive, on_audio=lambda: None, on_conversion_error=errors.append)
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


def test_another_synthesiser_begins_the_sentence_anew() -> None:
    async def work() -> tuple[bool, bool, int]:
        voice, _, _ = make()
        first, second = stream_of(FakeSynthesiser()), stream_of(FakeSynthesiser())
        assert voice.say(0, "One.", first)
        voice.sentences[0].audio += b"half"
        is_new, again = voice.say(0, "One.", second), voice.say(1, "Two.", second)
        return is_new, again, len(voice.sentences[0].audio)

    assert run_virtually(work()) == (True, False, 0)


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
