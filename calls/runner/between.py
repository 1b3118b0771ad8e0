"""What sounds on the line while nobody speaks: keys that are pressed, and a sign to who waits."""

import asyncio
from collections import deque
from collections.abc import Hashable

from calls.engine.playout import PlaybackClock
from calls.enums import Speaker
from calls.runner.ports import Shell
from calls.wire.audio import AudioFormat, decode, encode
from calls.wire.tones import hold_pcm, keys_pcm

CHUNK_MS = 100.0
KEY_MS, PAUSE_MS = 100, 100
_LOW_MS = 120.0
_LEAD_MS = 300.0
_GRAIN_MS = 1.0
"""Shorter waits are not worth a timer, and one of almost nothing would never end."""


class Between:
    """Lays sounds of our own into the outgoing audio. The caller's mouth asks it whenever it has nothing to say.

    Keys begin when everything before them was played, and speech waits until they were: so nothing that is thrown away
    at a barge-in can hold a part of them. ``clock`` is that of all audio of the line.
    """

    def __init__(self, shell: Shell, output: AudioFormat, clock: PlaybackClock) -> None:
        self._shell = shell
        self._output = output
        self._clock = clock
        self._holders: set[Hashable] = set()
        self._hold = b""
        self._hold_at = 0
        self._keys: deque[tuple[str, asyncio.Future[None]]] = deque()
        self._tones = b""
        self.is_pressing = False
        self.wake = asyncio.Event()

    # --- what is wanted -----------------------------------------------------------------------------------------------

    async def press(self, digits: str) -> None:
        """Press keys, 100 ms each with pauses of 100 ms; returns when they were played."""
        pressed = asyncio.get_running_loop().create_future()
        self._keys.append((digits, pressed))
        self.wake.set()
        await pressed

    def hold(self, holder: Hashable) -> None:
        """Give a sign of life in silences from now on, until everybody who wanted it has released it."""
        self._holders.add(holder)
        self.wake.set()

    def release(self, holder: Hashable) -> None:
        """Want it no more; idempotent."""
        self._holders.discard(holder)

    # --- sending ------------------------------------------------------------------------------------------------------

    async def send(self) -> float | None:
        """Send what may go out now; give the seconds until more may, None: nothing is wanted."""
        while self._keys and self._keys[0][1].done():  # who wanted them has gone
            self._keys.popleft()
        if self.is_pressing or self._keys:
            return await self._send_keys()
        if not self._holders:
            self._hold_at = 0
            return None
        remaining = self._clock.remaining_ms(self._shell.now())
        if remaining <= _LOW_MS:
            await self._send(self._next_hold())
            remaining = self._clock.remaining_ms(self._shell.now())
        return max(remaining - _LOW_MS, _GRAIN_MS) / 1000

    async def _send_keys(self) -> float | None:
        remaining = self._clock.remaining_ms(self._shell.now())
        if not self.is_pressing:
            if remaining > 0:
                return max(remaining, _GRAIN_MS) / 1000
            self.is_pressing = True
            pcm = keys_pcm(self._keys[0][0], self._output.rate, on_ms=KEY_MS, off_ms=PAUSE_MS)
            self._tones = encode(pcm, self._output.encoding)
        while self._tones and remaining < _LEAD_MS:
            size = round(self._output.rate * CHUNK_MS / 1000) * self._output.sample_bytes
            chunk, self._tones = self._tones[:size], self._tones[size:]
            await self._send(chunk)
            remaining = self._clock.remaining_ms(self._shell.now())
        if self._tones or remaining > 0:
            return max(remaining - (_LEAD_MS - CHUNK_MS if self._tones else 0), _GRAIN_MS) / 1000
        self.is_pressing = False
        _, pressed = self._keys.popleft()
        if not pressed.done():
            pressed.set_result(None)
        return 0.0

    def _next_hold(self) -> bytes:
        if not self._hold:
            self._hold = encode(hold_pcm(self._output.rate), self._output.encoding)
        size = round(self._output.rate * CHUNK_MS / 1000) * self._output.sample_bytes
        chunk = self._hold[self._hold_at : self._hold_at + size]
        self._hold_at = (self._hold_at + size) % len(self._hold)
        return chunk

    async def _send(self, chunk: bytes) -> None:
        now, shell = self._shell.now(), self._shell
        starts_ms = shell.elapsed_ms() + self._clock.remaining_ms(now)
        self._clock.add(self._output.duration_ms(len(chunk)), now)
        shell.sink.record_audio(Speaker.AGENT, starts_ms, decode(chunk, self._output.encoding), self._output.rate)
        await shell.door.send_sound(chunk)
