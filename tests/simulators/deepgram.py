"""A Deepgram that listens: nova on /v1/listen, Flux on /v2/listen, spoken as the vendor's documentation has it.

Its recogniser hears tones (``sound``). Without a script it transcribes them; with one it says the script's next line
for every utterance, so that any voice can drive a call. Everything follows the audio clock, as with Deepgram itself:
without audio nothing ends.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.simulators.faults import Delay, Fault, Plan
from tests.simulators.sound import Ear, HeardWord

Say = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass
class DeepgramSimulator(Plan):
    """One server. ``url`` goes into ``DEEPGRAM_BASE_URL``."""

    port: int = 0
    script: tuple[str, ...] = ()
    """Lines with ``{connection}`` and ``{turn}``; empty transcribes the tones."""
    final_delay_ms: float = 0.0
    """From the audio that ends an utterance to the message that says so."""
    end_of_turn_ms: float = 400.0
    eager_ms: float = 200.0
    final_every_words: int = 0
    """Nova: a final that does not end the utterance after so many words."""
    idle_seconds: float = 10.0
    requests: list[dict[str, list[str]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    control: list[str] = field(default_factory=list)
    audio_seconds: list[float] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        self._stopping = asyncio.Event()
        self._open: set[ServerConnection] = set()
        self._fault_of: dict[ServerConnection, Fault] = {}
        self._server: Server = await serve(
            self._serve, "127.0.0.1", self.port, process_request=self._admit, compression=None, ping_interval=None
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopping.set()
        await self.drop_all()
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def live(self) -> int:
        """Connections that are being served."""
        return len(self._open)

    async def drop_all(self) -> None:
        """Break every connection, as a restarting server does."""
        for connection in list(self._open):
            connection.transport.abort()

    async def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        fault = self._fault_of[connection] = self.next_fault()
        if fault.hang:
            await self._stopping.wait()
        if fault.status:
            return connection.respond(fault.status, '{"err_code":"REFUSED","err_msg":"refused"}')
        self.headers.append({name.lower(): value for name, value in request.headers.raw_items()})
        return None

    async def _serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        url = urlsplit(connection.request.path)
        query = parse_qs(url.query)
        self.requests.append(query)
        self.audio_seconds.append(0.0)
        session = _Session(self, connection, query, len(self.requests), self._fault_of.pop(connection))
        self._open.add(connection)
        try:
            listener = _Flux(session) if url.path == "/v2/listen" else _Nova(session)
            await session.run(listener)
        except ConnectionClosed:
            pass
        finally:
            self._open.discard(connection)


class _Session:
    """One connection: reads frames, keeps the audio clock, sends in order."""

    def __init__(
        self,
        simulator: DeepgramSimulator,
        connection: ServerConnection,
        query: dict[str, list[str]],
        number: int,
        fault: Fault,
    ) -> None:
        self.simulator = simulator
        self.connection = connection
        self.query = query
        self.number = number
        self.fault = fault
        self.ear = Ear(query["encoding"][0], int(query["sample_rate"][0]))
        self.turn = 0
        self.voiced_at = 0.0
        self._outgoing: asyncio.Queue[tuple[dict[str, Any], str | None]] = asyncio.Queue()
        self._is_mute = False

    def option(self, name: str, default: float) -> float:
        return float(self.query.get(name, [default])[0])

    def line(self, words: list[str], *, is_whole: bool) -> str:
        """What the current utterance says so far: the words heard, or that much of the script's line."""
        if not self.simulator.script:
            return " ".join(words)
        script = self.simulator.script
        said = script[self.turn % len(script)].format(connection=self.number, turn=self.turn)
        return said if is_whole else " ".join(said.split()[: max(1, len(words))])

    def say(self, message: dict[str, Any], *, ending: str | None = None, wait_ms: float = 0.0) -> None:
        """Send in order; ``ending`` is the transcript of a message that ends an utterance and takes its delay."""
        if ending is not None:
            message = {**message, "__wait_ms": wait_ms, "__asked_at": self.voiced_at}
        self._outgoing.put_nowait((message, ending))

    async def run(self, listener: "_Nova | _Flux") -> None:
        writer = asyncio.create_task(self._write())
        try:
            if self.fault.unknown:
                await self.connection.send('{"type":"Surprise","value":1}')
                await self.connection.send("this is no JSON")
            if self.fault.error:
                self.say(
                    {
                        "type": "Error",
                        "variant": self.fault.error,
                        "description": "planned",
                        "sequence_id": 0,
                        "code": self.fault.error,
                    }
                )
            while True:
                async with asyncio.timeout(self.simulator.idle_seconds):
                    frame = await self.connection.recv()
                if isinstance(frame, bytes):
                    if not frame:
                        return
                    await self._hear(frame, listener)
                elif self._obey(json.loads(frame)["type"], listener):
                    return
        except TimeoutError:
            await self.connection.close(1011, "NET-0001")
        finally:
            writer.cancel()
            with suppress(asyncio.CancelledError, ConnectionClosed):
                await writer

    async def _hear(self, audio: bytes, listener: "_Nova | _Flux") -> None:
        for word in self.ear.feed(audio):
            if self.ear.voiced_until == self.ear.seconds:
                self.voiced_at = time.monotonic()
            listener.hear(word)
        self.simulator.audio_seconds[self.number - 1] = self.ear.seconds
        fault = self.fault
        if fault.drop_after is not None and self.ear.seconds >= fault.drop_after:
            await asyncio.sleep(0.02)  # what was said before the drop still goes out
            if fault.close_code:
                await self.connection.close(fault.close_code, "planned")
            else:
                self.connection.transport.abort()
        if fault.ignore_close:
            self.connection.transport.pause_reading()  # from now on nothing is read, a close included
        if fault.mute_after is not None and self.ear.seconds >= fault.mute_after:
            self._is_mute = True

    def _obey(self, command: str, listener: "_Nova | _Flux") -> bool:
        self.simulator.control.append(command)
        if command in {"Finalize", "ForceEndTurn"}:
            listener.finalize()
        return command == "CloseStream"

    async def _write(self) -> None:
        while True:
            message, ending = await self._outgoing.get()
            wait_ms, asked_at = message.pop("__wait_ms", 0.0), message.pop("__asked_at", 0.0)
            if ending is not None:
                await asyncio.sleep(self.simulator.final_delay_ms / 1000)
            if not self._is_mute:
                await self.connection.send(json.dumps(message))
            if ending:
                told = wait_ms + self.simulator.final_delay_ms
                self.simulator.log(Delay("deepgram", ending, asked_at, time.monotonic(), told))


class _Nova:
    """Interim results every 200 ms of speech; final and UtteranceEnd after as much silence as the query says."""

    def __init__(self, session: _Session) -> None:
        self._session = session
        self._endpointing_ms = session.option("endpointing", 10)
        self._utterance_end_ms = session.option("utterance_end_ms", 0)
        self._words: list[HeardWord] = []
        self._segment_start = 0.0
        self._is_speech = False
        self._has_final = False

    def hear(self, word: HeardWord | None) -> None:
        ear = self._session.ear
        if ear.is_voiced and not self._is_speech:
            self._is_speech, self._has_final = True, False
            self._session.say({"type": "SpeechStarted", "channel": [0, 1], "timestamp": ear.seconds})
        if word is not None:
            self._words.append(word)
            limit = self._session.simulator.final_every_words
            if limit and len(self._words) >= limit:
                self._final(speech_final=False)
        silence_ms = (ear.seconds - ear.voiced_until) * 1000
        if self._is_speech and silence_ms >= self._endpointing_ms:
            self._is_speech, self._has_final = False, True
            self._final(speech_final=True)
            self._session.turn += 1
        elif ear.frames % 10 == 0 and self._is_speech:
            self._results(self._text(is_whole=False), is_final=False)
        elif ear.frames % 50 == 0 and not self._is_speech:
            self._final(speech_final=False)
        if self._has_final and self._utterance_end_ms and silence_ms >= self._utterance_end_ms:
            self._has_final = False
            self._session.say({"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": ear.voiced_until})

    def finalize(self) -> None:
        if (word := self._session.ear.end_word()) is not None:
            self._words.append(word)
        self._is_speech = False
        self._final(speech_final=False, from_finalize=True)

    def _text(self, *, is_whole: bool) -> str:
        if not self._words and not self._is_speech and not is_whole:
            return ""
        return self._session.line([word.text for word in self._words], is_whole=is_whole)

    def _final(self, *, speech_final: bool, from_finalize: bool = False) -> None:
        is_scripted = bool(self._session.simulator.script)
        text = self._text(is_whole=is_scripted and speech_final)
        self._results(text, is_final=True, speech_final=speech_final, from_finalize=from_finalize)
        self._words = []
        self._segment_start = self._session.ear.seconds

    def _results(self, text: str, *, is_final: bool, speech_final: bool = False, from_finalize: bool = False) -> None:
        words = [{"word": w.text, "start": w.start, "end": w.end, "confidence": 0.5} for w in self._words]
        message = {
            "type": "Results",
            "channel_index": [0, 1],
            "start": self._segment_start,
            "duration": self._session.ear.seconds - self._segment_start,
            "is_final": is_final,
            "speech_final": speech_final,
            "from_finalize": from_finalize,
            "channel": {"alternatives": [{"transcript": text, "confidence": 0.5, "words": words}]},
            "metadata": {
                "request_id": "r",
                "model_uuid": "m",
                "model_info": {"name": "n", "version": "1", "arch": "a"},
            },
        }
        is_ending = speech_final or from_finalize
        self._session.say(
            message, ending=text if is_ending else None, wait_ms=self._endpointing_ms if speech_final else 0
        )


class _Flux:
    """Update every 250 ms of audio, eager end of turn and end of turn by the length of the silence."""

    def __init__(self, session: _Session) -> None:
        self._session = session
        self._words: list[HeardWord] = []
        self._sequence = 0
        self._index = 0
        self._is_open = False
        self._is_eager = False
        self._may_be_eager = "eager_eot_threshold" in session.query
        session.say({"type": "Connected", "request_id": "r", "sequence_id": 0})

    def hear(self, word: HeardWord | None) -> None:
        ear, simulator = self._session.ear, self._session.simulator
        if word is not None:
            self._words.append(word)
            self._info("Update" if self._is_open else "StartOfTurn")
            self._is_open = True
        silence_ms = (ear.seconds - ear.voiced_until) * 1000
        if self._is_eager and ear.is_voiced:
            self._is_eager = False
            self._info("TurnResumed")
        elif self._is_open and silence_ms >= simulator.end_of_turn_ms:
            self._end("model")
        elif self._is_open and self._may_be_eager and not self._is_eager and silence_ms >= simulator.eager_ms:
            self._is_eager = True
            self._info("EagerEndOfTurn")
        elif ear.frames * 20 % 250 < 20:
            self._info("Update")

    def finalize(self) -> None:
        if self._is_open:
            self._end("manual")

    def _end(self, trigger: str) -> None:
        text = self._text(is_whole=True)
        self._info("EndOfTurn", trigger=trigger, ending=text)
        self._is_open = self._is_eager = False
        self._words = []
        self._index += 1
        self._session.turn += 1

    def _text(self, *, is_whole: bool) -> str:
        return self._session.line([word.text for word in self._words], is_whole=is_whole) if self._words else ""

    def _info(self, event: str, *, trigger: str | None = None, ending: str | None = None) -> None:
        self._sequence += 1
        message = {
            "type": "TurnInfo",
            "request_id": "r",
            "sequence_id": self._sequence,
            "event": event,
            "turn_index": self._index,
            "audio_window_start": 0.0,
            "audio_window_end": self._session.ear.seconds,
            "transcript": self._text(is_whole=event in {"EagerEndOfTurn", "EndOfTurn"}),
            "words": [{"word": w.text, "confidence": 0.5, "start": w.start, "end": w.end} for w in self._words],
            "end_of_turn_confidence": 0.8 if ending is not None else 0.2,
        }
        if trigger is not None:
            message["trigger"] = trigger
        wait_ms = self._session.simulator.end_of_turn_ms if trigger == "model" else 0.0
        self._session.say(message, ending=ending, wait_ms=wait_ms)


def _error(code: str) -> dict[str, str]:
    return {"variant": code, "code": code}
