"""The closed vocabularies of a call, with their labels beside them.

Standard library only: the engine, the codecs and the models all read these words. ``calls.models`` turns
an enumeration into Django choices with one function.
"""

from enum import StrEnum


class ConversationState(StrEnum):
    """Whose turn it is. The words go out on the wire in upper case."""

    INITIALIZING = "initializing"
    LISTENING = "listening"
    THINKING = "thinking"
    RESPONDING = "responding"
    INTERRUPTED = "interrupted"
    ENDED = "ended"

    @property
    def wire(self) -> str:
        """The word as ``conversation.state.changed`` spells it."""
        return self.value.upper()


class Speaker(StrEnum):
    """Who said a turn."""

    CALLER = "caller"
    AGENT = "agent"


class Door(StrEnum):
    """Through which protocol a call came in."""

    CONSOLE = "console"
    PHONE = "phone"
    TERMINAL = "terminal"


class CancelReason(StrEnum):
    """Why a reply stopped before its end."""

    BARGE_IN = "barge_in"
    REQUESTED = "requested"
    HANG_UP = "hang_up"
    FAILED = "failed"
    SUPERSEDED = "superseded"


class EndReason(StrEnum):
    """Why a conversation is over."""

    AGENT_SAID_GOODBYE = "agent_said_goodbye"
    CALLER_ENDED = "caller_ended"
    CALLER_DISCONNECTED = "caller_disconnected"
    SILENCE = "silence"
    MAX_DURATION = "max_duration"
    PROVIDER_FAILED = "provider_failed"
    ABUSE = "abuse"
    SHUTDOWN = "shutdown"
    INSTANCE_LOST = "instance_lost"
    INTERNAL_ERROR = "internal_error"


class SessionStatus(StrEnum):
    """Where a call session is in its life; it only moves forward."""

    LIVE = "live"
    ENDED = "ended"


class AgentStatus(StrEnum):
    """Whether an agent version may still be edited."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class ErrorCode(StrEnum):
    """The error codes of the ``/ws`` protocol."""

    INVALID_PAYLOAD = "INVALID_PAYLOAD"
    SESSION = "SESSION_ERROR"
    AUDIO = "AUDIO_ERROR"
    STT = "STT_ERROR"
    LLM = "LLM_ERROR"
    TTS = "TTS_ERROR"
    CONNECTION = "CONNECTION_ERROR"
    INTERNAL = "INTERNAL_ERROR"
    UNKNOWN = "UNKNOWN_ERROR"

    @property
    def short(self) -> str:
        """The code as event names spell it: ``STT_ERROR`` is ``stt``."""
        return self.value.lower().removesuffix("_error")


class Role(StrEnum):
    """What a provider does in a call."""

    STT = "stt"
    LLM = "llm"
    TTS = "tts"


class AudioEncoding(StrEnum):
    """How audio samples are written. PCM is signed 16 bit little-endian; all audio is mono."""

    PCM16 = "pcm16"
    MULAW = "mulaw"
    ALAW = "alaw"


def label(member: StrEnum) -> str:
    """Give the words an operator reads: ``caller_ended`` is ``Caller ended``."""
    return member.value.replace("_", " ").capitalize()
