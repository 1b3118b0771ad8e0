"""Deepgram through its SDK (https://developers.deepgram.com): nova or Flux, by the model's name in the settings."""

from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any

import msgspec
from deepgram import AsyncDeepgramClient
from deepgram.environment import DeepgramClientEnvironment
from django.conf import settings

from calls.engine.agent import AgentSpec
from calls.enums import AudioEncoding, Role
from calls.providers.base import RecognitionOptions
from calls.providers.deepgram.connection import Connection
from calls.providers.deepgram.dialects import Dialect, Flux, Nova
from calls.providers.deepgram.socket import Socket
from calls.providers.deepgram.stream import DeepgramStream
from calls.providers.deepgram.waiting import Waiting
from calls.providers.resilience import Guard
from calls.wire.audio import AudioFormat, silence

__all__ = ["Deepgram"]

_ENCODINGS = {AudioEncoding.PCM16: "linear16", AudioEncoding.MULAW: "mulaw", AudioEncoding.ALAW: "alaw"}
_FLUX_RATES = (8000, 16000, 24000, 44100, 48000)
_NOVA_RATES = range(8000, 48001)
_REGIONAL = ("en", "pt", "zh")
"""Languages whose regional forms are models of their own; of the others Deepgram knows the plain code (de, fr, ...)."""
_UTTERANCE_END_MS = 1000
_DEFAULT_ENDPOINTING_MS = 300
_EAGER_END_OF_TURN = 0.4
_END_OF_TURN = 0.7
_END_OF_TURN_TIMEOUT_MS = 5000
_SIGN_OF_LIFE_MS = 100.0


class Deepgram:
    """Implements ``SpeechToText`` and ``AwaitsCalls``. Audio goes out as the line has it: PCM16, mu-law or A-law."""

    name = "deepgram"
    preferred = AudioFormat(encoding=AudioEncoding.PCM16, rate=16_000)

    def __init__(self) -> None:
        self.model: str = settings.DEEPGRAM_MODEL
        self._guard = Guard(self.name, Role.STT)
        self._waiting = Waiting()
        base = settings.DEEPGRAM_BASE_URL.rstrip("/")
        socket_base = base.replace("http", "ws", 1)
        self._client = AsyncDeepgramClient(
            # Without a key the SDK raises here; with this one Deepgram answers 401 to the first call, and says so.
            api_key=settings.DEEPGRAM_API_KEY or "none",
            environment=DeepgramClientEnvironment(
                base=base, production=socket_base, agent=socket_base, agent_rest=base
            ),
            transport_factory=Socket,
        )
        self._listen: Any = self._client.listen.v2 if self._is_flux else self._client.listen.v1

    @property
    def _is_flux(self) -> bool:
        return self.model.startswith("flux")

    def accepts(self, audio: AudioFormat) -> bool:
        """Whether the rate is one that the model takes; all three encodings are."""
        return audio.rate in (_FLUX_RATES if self._is_flux else _NOVA_RATES)

    def open(self, options: RecognitionOptions) -> DeepgramStream:
        """Make a call's stream; nothing is connected yet."""
        arguments = self._arguments(options)
        dialect: Dialect = Flux() if self._is_flux else Nova()
        take = partial(self._waiting.take, _key(arguments))
        return DeepgramStream(partial(self._open, arguments), dialect, options.format, self._guard, take=take)

    async def await_call(self, options: RecognitionOptions) -> None:
        """Hold an open connection until a call with these options takes it; raises ``ProviderError``."""
        arguments = self._arguments(options)
        opening = partial(Connection.open, partial(self._open, arguments), self._guard)
        # Flux knows no KeepAlive.
        sign = silence(options.format, _SIGN_OF_LIFE_MS) if self._is_flux else b""
        await self._waiting.keep(_key(arguments), opening, sign)

    def _open(self, arguments: dict[str, Any]) -> AbstractAsyncContextManager[Any]:
        manager: AbstractAsyncContextManager[Any] = self._listen.connect(**arguments)
        return manager

    def _arguments(self, options: RecognitionOptions) -> dict[str, Any]:
        own = self._flux_arguments(options) if self._is_flux else self._nova_arguments(options)
        return own | {"encoding": _ENCODINGS[options.format.encoding], "sample_rate": options.format.rate}

    def _nova_arguments(self, options: RecognitionOptions) -> dict[str, Any]:
        terms = "keyterm" if self.model.startswith("nova-3") else "keywords"
        return {
            "model": self.model,
            "language": _language(options.language),
            "interim_results": True,
            "vad_events": True,
            "smart_format": True,
            "endpointing": options.spec.endpointing.eager_ms or _DEFAULT_ENDPOINTING_MS,
            "utterance_end_ms": _UTTERANCE_END_MS,
            terms: list(options.spec.key_terms) or None,
        }

    def _flux_arguments(self, options: RecognitionOptions) -> dict[str, Any]:
        base_language = options.language.partition("-")[0].lower()
        is_foreign = base_language != "en"
        return {
            "model": "flux-general-multi" if is_foreign else self.model,
            "language_hint": [base_language] if is_foreign else None,
            "eot_threshold": _END_OF_TURN,
            "eager_eot_threshold": _EAGER_END_OF_TURN if _may_speculate(options.spec) else None,
            "eot_timeout_ms": _END_OF_TURN_TIMEOUT_MS,
            "keyterm": list(options.spec.key_terms) or None,
        }

    async def aclose(self) -> None:
        """Nothing is held for the process: each call, and whoever awaits one, has closed its own socket."""


def _key(arguments: dict[str, Any]) -> bytes:
    """Name a connection by all that it is asked for."""
    return msgspec.json.encode(arguments, order="sorted")


def _may_speculate(spec: AgentSpec) -> bool:
    return bool(spec.endpointing.eager_ms and spec.endpointing.max_speculations)


def _language(tag: str) -> str:
    base = tag.partition("-")[0].lower()
    return tag if base in _REGIONAL else base
