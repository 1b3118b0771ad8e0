"""Cartesia through its SDK (https://docs.cartesia.ai): speech at the line's own format over one warm WebSocket."""

import asyncio
from typing import Any
from uuid import UUID

from cartesia import AsyncCartesia
from django.conf import settings

from calls.enums import AudioEncoding, Role
from calls.providers.base import SpeechOptions
from calls.providers.cartesia.context import CartesiaContext
from calls.providers.cartesia.socket import Socket
from calls.providers.resilience import Guard
from calls.wire.audio import AudioFormat

__all__ = ["Cartesia"]

_ENCODINGS = {AudioEncoding.PCM16: "pcm_s16le", AudioEncoding.MULAW: "pcm_mulaw", AudioEncoding.ALAW: "pcm_alaw"}
_RATES = (8000, 16000, 22050, 24000, 44100, 48000)
_OPEN_SECONDS = 4.0


class Cartesia:
    """Implements ``TextToSpeech``. The connection is shared by all calls; a reply is a context on it."""

    name = "cartesia"

    def __init__(self) -> None:
        self.model: str = settings.CARTESIA_MODEL
        self.guard = Guard(self.name, Role.TTS)
        base = settings.CARTESIA_BASE_URL.rstrip("/")
        self._client = AsyncCartesia(
            api_key=settings.CARTESIA_API_KEY or "none",
            base_url=base,
            websocket_base_url=base.replace("http", "ws", 1),  # from base_url alone the SDK always makes wss
            max_retries=0,
        )
        self._socket: Socket | None = None
        self._opening = asyncio.Lock()

    async def warm_up(self) -> None:
        """Open the connection."""
        await self.socket()

    async def socket(self) -> Socket:
        """Give the open connection, a new one where it has ended; raises ``ProviderError``."""
        async with self._opening:
            if self._socket is None or not self._socket.is_open:
                self._socket = await self.guard.open(
                    lambda: Socket.open(self._client, self.guard), budget_seconds=_OPEN_SECONDS
                )
            return self._socket

    def open(self, options: SpeechOptions) -> "CartesiaStream":
        """Make a call's stream; nothing is connected yet."""
        return CartesiaStream(self, options)

    async def aclose(self) -> None:
        """Close the connection and the client."""
        if self._socket is not None:
            await self._socket.close()
        await self._client.close()


class CartesiaStream:
    """Implements ``SpeechStream``."""

    def __init__(self, provider: Cartesia, options: SpeechOptions) -> None:
        self._provider = provider
        self._options = options
        self._contexts: list[CartesiaContext] = []
        self.format = _nearest(options.format)
        self._request: dict[str, Any] = {
            "model_id": provider.model,
            "voice": {"id": _voice(options)},
            "output_format": {
                "container": "raw",
                "encoding": _ENCODINGS[self.format.encoding],
                "sample_rate": self.format.rate,
            },
            "language": options.language.partition("-")[0].lower(),
            "add_timestamps": True,
            "use_normalized_timestamps": False,
            "max_buffer_delay_ms": 0,  # whole sentences come from us; the server need not wait for more
        }

    async def connect(self) -> None:
        """Take the warm connection or open it; raises ``ProviderError``."""
        await self._provider.socket()

    def begin(self, reply: int) -> CartesiaContext:  # noqa: ARG002 (a context's own id never repeats)
        """Make a fresh context."""
        context = CartesiaContext(
            self._provider.socket,
            self._request,
            self.format,
            self._provider.guard,
            pronunciations=self._options.spec.pronunciations,
            budget_seconds=settings.TURN_BUDGET_SECONDS,
        )
        self._contexts = [one for one in self._contexts if not one.is_over]
        self._contexts.append(context)
        return context

    async def aclose(self) -> None:
        """Cancel what is still speaking. The connection stays for the other calls."""
        contexts, self._contexts = self._contexts, []
        await asyncio.gather(*(context.cancel() for context in contexts))


def _nearest(wanted: AudioFormat) -> AudioFormat:
    """Give the format itself where Cartesia makes it, else PCM16 at the next higher rate."""
    if wanted.rate in _RATES:
        return wanted
    rate = next((rate for rate in _RATES if rate > wanted.rate), _RATES[-1])
    return AudioFormat(encoding=AudioEncoding.PCM16, rate=rate)


def _voice(options: SpeechOptions) -> str:
    """Give the first voice that can be Cartesia's, whose ids are UUIDs: the call's, the agent's, the settings'."""
    for voice in (options.voice, options.spec.voice):
        try:
            return str(UUID(voice))
        except ValueError:
            continue
    default: str = settings.CARTESIA_VOICE
    return default
