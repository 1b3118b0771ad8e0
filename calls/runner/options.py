"""What one call needs from the shell, beside its agent."""

from msgspec import Struct, field

from calls.engine.history import Earlier
from calls.enums import Direction
from calls.wire.audio import AudioFormat


class CallOptions(Struct, frozen=True, kw_only=True):
    """Formats, language and pacing of one call. Times in milliseconds of audio.

    ``lead_ms``: how far audio is sent ahead of its playing. ``first_chunk_ms`` and ``chunk_ms``: a reply's first chunk
    is short, so that it starts early; tiny later ones make gaps in clients that schedule each chunk for itself.
    ``cancel_gap_ms``: pause between a cancel and the next reply's first chunk, wall time. ``settle_ms``: how much later
    than sent the far end may play; a reply that follows another waits so much longer for the end of that one.
    ``earlier``: what was said before this line; with it the call goes on instead of beginning with its opening.
    ``telephone``: who called whom; None: it is no telephone call.
    """

    input: AudioFormat
    output: AudioFormat
    language: str = "en-US"
    voice: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    opening: bool = True
    lead_ms: float = 2000
    first_chunk_ms: float = 100
    chunk_ms: float = 300
    cancel_gap_ms: float = 60
    settle_ms: float = 100
    earlier: Earlier = Earlier()
    telephone: Direction | None = None
    protects_opening: bool = False
    """Nobody interrupts the opening, beyond the notice of a telephone call, which nobody interrupts in any case."""
    is_consulting: bool = False
    """A colleague is being called for this caller, since before this line."""
