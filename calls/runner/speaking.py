"""The way out: replies to audio, audio to the door at the pace at which it is played."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress

from calls.engine.agent import AgentSpec
from calls.engine.events import AudioSent, Cancel, ReplySent, SentenceSent, SentenceTimed, Speak
from calls.engine.playout import PlaybackClock
from calls.enums import Speaker
from calls.errors import AudioError, ProviderError
from calls.providers.base import SpeechOptions, SpeechStream, TextToSpeech
from calls.providers.cache import SpeechCache
from calls.runner.between import Between
from calls.runner.options import CallOptions
from calls.runner.ports import Shell
from calls.runner.voice import ReplyVoice, SentenceBuffer
from calls.wire.audio import AudioFormat, decode

log = logging.getLogger(__name__)

_LOW_MS = 120.0
"""With less than this left to play, whatever audio there is goes out, however short."""

_GRAIN_SECONDS = 0.0005
"""Waits shorter than half a millisecond are not worth a timer."""


class Speaking:
    """One call's mouth: what the engine's actions call never waits, and ``write`` is the single writer."""

    def __init__(
        self,
        shell: Shell,
        spec: AgentSpec,
        options: CallOptions,
        synthesisers: Sequence[TextToSpeech],
        cache: SpeechCache,
    ) -> None:
        self._shell = shell
        self._options = options
        self._synthesisers = synthesisers
        self._cache = cache
        self._speech = SpeechOptions(
            format=options.output,
            spec=spec,
            language=options.language,
            voice=options.voice or spec.voice,
        )
        self._streams: dict[int, SpeechStream] = {}
        self._voices: dict[int, ReplyVoice] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._clock = PlaybackClock()
        self._sounding: int | None = None
        """The reply whose audio went out last; what of it the far end still holds may have to be taken back."""
        self._not_before = 0.0
        self.between = Between(shell, options.output, self._clock)
        self._wake = self.between.wake
        self.conversion_errors = 0

    def stream(self, tier: int) -> SpeechStream:
        """Give the call's stream to the synthesiser of this tier."""
        if tier not in self._streams:
            self._streams[tier] = self._synthesisers[tier].open(self._speech)
        return self._streams[tier]

    async def warm_up(self, lines: Sequence[str]) -> None:
        """Connect, and put into the cache what must be sayable when the synthesiser is down."""
        # One does not wait for the other: lines that an earlier call left on disk must be at hand even where the
        # synthesiser cannot be reached. A failure shows again, and counts, when something is to be spoken.
        made = (self._cache.make(self._synthesisers[0], self._speech, line) for line in lines)
        outcomes = await asyncio.gather(self.stream(0).connect(), *made, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException) and not isinstance(outcome, ProviderError):
                raise outcome

    # --- the engine's actions -----------------------------------------------------------------------------------------

    def speak(self, action: Speak) -> None:
        """Prepare a sentence: from the cache where it is known, else through the synthesiser."""
        voice = self._voice(action.reply)
        if voice.change_tier(action.tier):
            self._stop_task(action.reply)
        synthesiser = self._synthesisers[action.tier]
        if (audio := self._cache.get(synthesiser, self._speech, action.text)) is not None:
            voice.lay(action.sentence, audio)
            if words := self._cache.words(synthesiser, self._speech, action.text):
                self._shell.receive(SentenceTimed(action.reply, action.sentence, words))
        elif voice.say(action.sentence, action.text, self.stream(action.tier)):
            self._tasks[action.reply] = self._shell.spawn(voice.run())

    def _voice(self, reply: int) -> ReplyVoice:
        if reply not in self._voices:
            self._voices[reply] = ReplyVoice(
                reply,
                self._options.output,
                receive=self._shell.receive,
                note_failure=self._shell.note_failure,
                on_audio=self._wake.set,
                on_conversion_error=self._count_conversion_error,
            )
        return self._voices[reply]

    def end_speech(self, reply: int) -> None:
        """No further sentence of this reply follows."""
        self._voice(reply).end_text()

    def commit(self, reply: int) -> None:
        """Let the reply's audio out."""
        self._voice(reply).is_committed = True
        self._wake.set()

    def discard(self, reply: int) -> None:
        """Forget a reply of which nothing was sent."""
        self._stop_task(reply)
        self._voices.pop(reply, None)

    def cancel(self, action: Cancel) -> None:
        """Stop a reply, take back what was not played yet and leave the gap that clients need."""
        self.discard(action.reply)
        if action.reply != self._sounding or self.between.is_pressing:
            return
        self._sounding = None
        self._clock.reset()
        self._not_before = self._shell.now() + self._options.cancel_gap_ms / 1000
        self._shell.sink.cut_agent_audio(self._shell.elapsed_ms())
        self._shell.echo.cut(self._shell.elapsed_ms())
        self._shell.door.cancel_reply(action.reply, action.reason, action.heard)

    def _stop_task(self, reply: int) -> None:
        if task := self._tasks.pop(reply, None):
            task.cancel()

    def _count_conversion_error(self, error: AudioError) -> None:
        if not self.conversion_errors:
            log.warning("agent audio cannot be converted, silence is sent instead: %s", error)
        self.conversion_errors += 1

    # --- the writer ---------------------------------------------------------------------------------------------------

    async def write(self) -> None:
        """Send audio as long as the call lives."""
        while True:
            self._wake.clear()
            delay = None if self.between.is_pressing else await self._send_due()
            if delay is None and (self.between.is_pressing or self._is_between_sentences()):
                delay = await self.between.send()
            with suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._wake.wait()

    async def _send_due(self) -> float | None:
        """Send everything that may go out now; give the seconds until more may, or None to wait for audio."""
        while voice := self._next_voice():
            if (delay := self._delay(voice)) > _GRAIN_SECONDS:
                return delay
            buffer = voice.current
            if buffer is None or (buffer.is_empty and not buffer.is_complete):
                if not voice.is_all_sent:
                    return None
                self._end_reply(voice)
            elif buffer.is_empty:
                voice.next_sentence += 1
                self._shell.receive(SentenceSent(voice.reply, voice.next_sentence - 1))
            elif self._is_worth_sending(voice, buffer):
                await self._send_chunk(voice, buffer)
            else:
                return max((self._clock.remaining_ms(self._shell.now()) - _LOW_MS) / 1000, _GRAIN_SECONDS)
        return None

    def _is_between_sentences(self) -> bool:
        return (voice := self._next_voice()) is None or voice.current is None

    def _next_voice(self) -> ReplyVoice | None:
        """Give the oldest committed reply that is not sent yet."""
        return next((voice for voice in self._voices.values() if voice.is_committed), None)

    def _delay(self, voice: ReplyVoice) -> float:
        """Seconds until this reply may send its next chunk."""
        now = self._shell.now()
        if not voice.is_started:
            # A new reply makes clients cut what is playing, so it waits until the one before has been played.
            ends_at = self._clock.ends_at
            played_at = now if ends_at is None else ends_at + self._options.settle_ms / 1000
            return max(played_at, self._not_before) - now
        return (self._clock.remaining_ms(now) + self._options.chunk_ms - self._options.lead_ms) / 1000

    def _is_worth_sending(self, voice: ReplyVoice, buffer: SentenceBuffer) -> bool:
        """Whether the chunk is long enough, or nothing is gained by waiting."""
        if not voice.is_started or buffer.is_complete or self._clock.remaining_ms(self._shell.now()) <= _LOW_MS:
            return True
        return self._options.output.duration_ms(len(buffer.audio)) >= self._options.chunk_ms

    async def _send_chunk(self, voice: ReplyVoice, buffer: SentenceBuffer) -> None:
        output = self._options.output
        limit = self._options.chunk_ms if voice.is_started else self._options.first_chunk_ms
        chunk = buffer.take(_whole_samples(output, limit))
        if not voice.is_started:
            voice.is_started = True
            self._sounding = voice.reply
            self._shell.door.start_reply(voice.reply)
        now = self._shell.now()
        duration = output.duration_ms(len(chunk))
        starts_ms = self._shell.elapsed_ms() + self._clock.remaining_ms(now)
        self._clock.add(duration, now)
        pcm = decode(chunk, output.encoding)
        self._shell.sink.record_audio(Speaker.AGENT, starts_ms, pcm, output.rate)
        if self._options.telephone is not None:  # a browser takes the agent's voice out itself
            self._shell.echo.play(starts_ms, pcm, output.rate)
        self._shell.receive(AudioSent(voice.reply, voice.next_sentence, duration))
        if voice.reply in self._voices:  # being told, the engine may have cancelled it
            await self._shell.door.send_audio(voice.reply, chunk)

    def _end_reply(self, voice: ReplyVoice) -> None:
        # A synthesiser that gave all audio may still owe the word that it was all; nobody waits for that.
        self.discard(voice.reply)
        self._shell.receive(ReplySent(voice.reply))

    def stop(self) -> None:
        """Stop everything that is being synthesised."""
        for reply in tuple(self._tasks):
            self._stop_task(reply)

    async def aclose(self) -> None:
        """Let go of the synthesisers."""
        for stream in self._streams.values():
            with suppress(ProviderError, TimeoutError):
                async with asyncio.timeout(1.5):
                    await stream.aclose()


def _whole_samples(audio: AudioFormat, duration_ms: float) -> int:
    """How many bytes ``duration_ms`` of audio are, rounded to whole samples."""
    samples = round(audio.rate * duration_ms / 1000)
    return samples * audio.sample_bytes
