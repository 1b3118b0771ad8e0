"""When the parts of a turn happened, and how long the caller waited for which of them."""

from msgspec import Struct

from calls.engine.events import Latency


class Timing(Struct):
    """When the parts of a turn happened, in seconds of the call's clock; None: not (yet)."""

    speech_ended_at: float | None = None
    waited_ms: float = 0.0
    decided_at: float | None = None
    generate_at: float | None = None
    first_delta_at: float | None = None
    first_speak_at: float | None = None
    first_audio_at: float | None = None

    def latency(self) -> Latency | None:
        """The parts of the voice-to-voice latency; None for what is no answer."""
        if self.speech_ended_at is None or self.first_audio_at is None:
            return None
        return Latency(
            endpointing=_ms(self.speech_ended_at, self.decided_at),
            stt=self.waited_ms,
            llm=_ms(self.generate_at, self.first_delta_at),
            tts=_ms(self.first_speak_at, self.first_audio_at),
            total=_ms(self.speech_ended_at, self.first_audio_at),
        )


def _ms(begin: float | None, end: float | None) -> float:
    return max(end - begin, 0.0) * 1000 if begin is not None and end is not None else 0.0
