"""The way in: a caller's audio to the recogniser, to voice activity detection and to the recording."""

import asyncio
import logging
from contextlib import suppress

from calls.engine.agent import AgentSpec
from calls.engine.events import AudioHeard, RecognitionFailed
from calls.engine.phonecall import BeepHeard
from calls.enums import AudioEncoding, Speaker
from calls.errors import AudioError, ProviderError
from calls.providers.base import (
    RecognitionOptions,
    RecognitionStream,
    SpeechToText,
    VoiceDetector,
    VoiceReport,
    VoiceStream,
)
from calls.runner.options import CallOptions
from calls.runner.ports import Shell
from calls.wire.audio import AudioFormat, Converter, encode, silence
from calls.wire.tones import BeepDetector

log = logging.getLogger(__name__)

_GAP_MS = 300.0
"""Caller audio further than this behind the clock is laid where the clock is: the client had stopped sending."""

_VERDICT_MS = 64.0
"""Amid speech the next verdict comes within so much audio and tells of the clock too: frames between two need not."""


class Hearing:
    """One call's ear. ``hear`` is called for every frame and never waits."""

    def __init__(
        self, shell: Shell, spec: AgentSpec, options: CallOptions, recogniser: SpeechToText, detector: VoiceDetector
    ) -> None:
        self._shell = shell
        self._spec = spec
        self._detector = detector
        self._input = options.input
        self._is_telephone = options.telephone is not None
        needed = RecognitionOptions.on_line(
            options.input, recogniser, spec, language=options.language, is_telephone=self._is_telephone
        )
        self._target = needed.format
        self._stream: RecognitionStream = recogniser.open(needed)
        self._heard_ms = 0.0
        self._voice_offset_ms = 0.0
        self._voiced_until_ms = 0.0
        self._voiced_ms = 0.0
        self._is_speech = False
        self._is_hearing = False
        self._recorded_ms = 0.0
        self.conversion_errors = 0
        self.listens_for_beep = False
        """Whether a mailbox's beep is of interest: finding one costs more than all else that is done with a frame."""
        self._beeps: BeepDetector | None = None
        self._beeps_from_ms = 0.0
        self._prepare()

    @property
    def detects_turns(self) -> bool:
        """Whether the recogniser itself decides when a turn ended."""
        return self._stream.detects_turns

    @property
    def dropped_ms(self) -> float:
        """Caller audio that never reached the recogniser."""
        return self._stream.dropped_ms

    @property
    def reconnects(self) -> int:
        """How often the recogniser's connection was replaced."""
        return self._stream.reconnects

    def _prepare(self) -> None:
        """Set up what depends on the input's format."""
        pcm = AudioFormat(encoding=AudioEncoding.PCM16, rate=self._input.rate)
        self._to_pcm = Converter(self._input, pcm)
        self._to_target = Converter(self._input, self._target)
        self._beeps = None
        self._voice: VoiceStream = self._detector.open(self._input.rate, self._spec.vad, self._report_voice)

    def change_input(self, audio: AudioFormat) -> None:
        """Expect another format from now on; the recogniser's stream and the audio clock go on."""
        if audio == self._input:
            return
        self._voice.close()
        self._voice_offset_ms = self._heard_ms
        self._input = audio
        self._prepare()

    async def run(self) -> None:
        """Connect, then hand on what is recognised until the recogniser is lost for good."""
        try:
            await self._stream.connect()
        except ProviderError as error:
            self._shell.note_failure(error)
            self._shell.receive(RecognitionFailed(str(error), connecting=True))
            return
        try:
            async for event in self._stream.events():
                self._shell.receive(event)
        except ProviderError as error:
            self._shell.note_failure(error)
            self._shell.receive(RecognitionFailed(str(error)))

    def hear(self, audio: bytes) -> None:
        """Take one frame in the input format. A frame that cannot be converted counts as silence of its length."""
        duration = self._input.duration_ms(len(audio))
        at_ms = self._place(duration)
        try:
            pcm = self._to_pcm.feed(audio)
            cleaned = self._without_echo(pcm, at_ms)
            speech = self._to_target.feed(audio if cleaned is pcm else encode(cleaned, self._input.encoding))
        except AudioError as error:
            if not self.conversion_errors:
                log.warning("caller audio cannot be converted, silence is heard instead: %s", error)
            self.conversion_errors += 1
            pcm, speech = silence(self._to_pcm.target, duration), silence(self._target, duration)
            cleaned = pcm
        self._heard_ms += duration
        self._stream.hear(speech)
        self._shell.sink.record_audio(Speaker.CALLER, at_ms, pcm, self._input.rate)
        self._recorded_ms = at_ms + duration
        known = self._voiced_until_ms, self._voiced_ms
        self._is_hearing = True
        self._voice.hear(cleaned)
        self._is_hearing = False
        if self.listens_for_beep:
            self._listen_for_beep(pcm)
        is_amid_speech = self._is_speech and self._heard_ms - self._voiced_until_ms < _VERDICT_MS
        if not is_amid_speech or known != (self._voiced_until_ms, self._voiced_ms):
            self._tell()

    def _without_echo(self, pcm: bytes, at_ms: float) -> bytes:
        """Give the frame without the agent's own voice; browsers have taken it out before they send."""
        return self._shell.echo.clean(at_ms, pcm) if self._is_telephone else pcm

    def _listen_for_beep(self, pcm: bytes) -> None:
        if self._beeps is None:
            self._beeps, self._beeps_from_ms = BeepDetector(self._input.rate), self._heard_ms
        if (beep := self._beeps.hear(pcm)) is not None:
            self._shell.receive(BeepHeard(beep.hz, self._beeps_from_ms + beep.ended_ms))

    def _place(self, duration: float) -> float:
        """Give the frame's place: behind the one before, unless the client had paused: then where the clock is."""
        arrived = self._shell.elapsed_ms() - duration
        return max(arrived if arrived - self._recorded_ms > _GAP_MS else self._recorded_ms, 0.0)

    def _report_voice(self, report: VoiceReport) -> None:
        """Take a verdict of the detector, which comes inside ``hear`` or a moment later."""
        if report.is_speech != self._is_speech:
            self._is_speech = report.is_speech
            self._stream.voice_changed(is_speech=report.is_speech)
        before = self._voiced_until_ms, self._voiced_ms
        if report.voiced_until_ms:
            self._voiced_until_ms = report.voiced_until_ms + self._voice_offset_ms
        self._voiced_ms = report.voiced_ms
        if not self._is_hearing and before != (self._voiced_until_ms, self._voiced_ms):
            self._tell()

    def _tell(self) -> None:
        """Tell the engine how far the audio clock is; the clock moves with each frame, verdicts lag by a window."""
        self._shell.receive(
            AudioHeard(until_ms=self._heard_ms, voiced_until_ms=self._voiced_until_ms, voiced_ms=self._voiced_ms),
        )

    def flush(self) -> None:
        """Ask the recogniser for its final words."""
        self._stream.finalize()

    async def aclose(self) -> None:
        """Let go of the recogniser; whatever it does then is no longer this call's concern."""
        self._voice.close()
        with suppress(ProviderError, TimeoutError):
            async with asyncio.timeout(1.5):
                await self._stream.aclose()
