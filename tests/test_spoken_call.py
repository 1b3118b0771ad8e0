"""A spoken sentence goes in over ``/ws``; the local recogniser, the scripted agent and the local voice do the rest."""

import asyncio
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calls.demo import DEMO_AGENT
from calls.engine.agent import AgentSpec
from calls.providers.base import SpeechOptions
from calls.providers.cache import SpeechCache
from calls.wire.audio import AudioFormat
from tests.bench.caller import BenchCaller, frames_of
from tests.test_survival import Installation, finish_reply

RATE = 16_000
LINE = "how much does it cost"

pytestmark = pytest.mark.skipif(
    find_spec("pocketsphinx") is None or find_spec("espeakng_loader") is None,
    reason="local speech is not installed: pip install -r requirements-local.txt",
)


async def speak(text: str, folder: Path) -> bytes:
    from calls.providers.local import LocalTextToSpeech  # noqa: PLC0415 (an optional part)

    voice = LocalTextToSpeech()
    options = SpeechOptions(format=AudioFormat(rate=RATE), spec=AgentSpec(name="caller", prompt=""))
    try:
        return await SpeechCache(folder).make(voice, options, text)
    finally:
        await voice.aclose()


def loudness(audio: bytes) -> float:
    return float(np.sqrt(np.mean(np.frombuffer(audio, np.int16).astype(np.float64) ** 2)))


async def hear_reply(caller: BenchCaller) -> tuple[str, bytes, dict[str, Any]]:
    """Collect the next reply: its text, its audio and its latency."""
    audio = b""
    while True:
        _, event = await caller.wait_for("audio.output.chunk", "conversation.response.complete", seconds=60)
        if event["eventType"] == "conversation.response.complete":
            return event["payload"]["text"], audio, event["payload"]["metrics"]
        audio += event["payload"]["audio"]


async def test_a_spoken_question_is_understood_and_answered_aloud(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    installation.env |= {"STT_PROVIDER": "local", "LLM_PROVIDER": "local", "TTS_PROVIDER": "local"}
    frames = frames_of(await speak(LINE, tmp_path), RATE)
    answers = {intent.answer for intent in DEMO_AGENT.intents if intent.name == "price"}

    async with installation.serving(), BenchCaller(f"ws://127.0.0.1:{installation.port}/ws", RATE, None) as caller:
        await caller.start()
        opening = await finish_reply(caller)
        await asyncio.sleep(0.3)
        caller.say(frames, "ended", len(frames) - 1)
        text, audio, latency = await hear_reply(caller)

    assert "AI assistant" in opening
    assert set(caller.last_text.lower().strip("?.").split()) >= {"how", "much", "cost"}
    assert text in answers
    assert loudness(audio) > 500
    assert len(audio) / 2 / RATE > 2
    assert 0 < latency["total"] < 5000
