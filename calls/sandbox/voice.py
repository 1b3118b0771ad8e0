"""The voices of personas: the local synthesiser's, kept on disk; scripted beeps where it is not installed."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from math import pi
from pathlib import Path

import numpy as np

from calls.engine.agent import AgentSpec
from calls.enums import AudioEncoding
from calls.errors import ProviderError
from calls.providers.base import SpeechOptions
from calls.providers.cache import SpeechCache
from calls.providers.local import LocalTextToSpeech
from calls.wire.audio import AudioFormat, encode

log = logging.getLogger(__name__)

LINE_FORMAT = AudioFormat(encoding=AudioEncoding.MULAW, rate=8000)
CARRIERS_VOICE = "en-us+f1"
_MOST_AT_ONCE = 2
"""Synthesis must not take the cores from the calls on the line."""


class Voices:
    """Speaks lines as mu-law at 8 kHz. ``folder`` keeps what was spoken, by a hash."""

    def __init__(self, folder: Path) -> None:
        self._tts = LocalTextToSpeech() if find_spec("espeakng_loader") else None
        self._cache = SpeechCache(folder)
        self._turns = asyncio.Semaphore(_MOST_AT_ONCE)

    async def speak(self, text: str, voice: str) -> bytes:
        """Give one line."""
        if not text:
            return b""
        if self._tts is None:
            return beeps(text)
        options = SpeechOptions(format=LINE_FORMAT, spec=AgentSpec(name="sandbox", prompt=""), voice=voice)
        try:
            async with self._turns:
                return await self._cache.make(self._tts, options, text)
        except ProviderError as error:
            log.warning("a persona beeps instead of speaking: %s", error)
            return beeps(text)

    async def prepare(self, lines: Iterable[str], voice: str) -> Mapping[str, bytes]:
        """Give all lines of a play."""
        return {line: await self.speak(line, voice) for line in lines}

    async def aclose(self) -> None:
        """End the speech process."""
        if self._tts is not None:
            await self._tts.aclose()


def beeps(text: str) -> bytes:
    """Hum once for each word."""
    at = np.arange(1600) / 8000
    hum = np.concatenate([np.sin(2 * pi * 220 * at) * 8000, np.zeros(480)])
    return encode(np.rint(np.tile(hum, len(text.split()))).astype("<i2").tobytes(), AudioEncoding.MULAW)
