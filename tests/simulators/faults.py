"""What a simulator does wrong, planned per connection or request, and what it was told to take."""

import asyncio
import json
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One connection's (or request's) misbehaviour. The default behaves well.

    ``status`` refuses with this HTTP status; ``hang`` accepts and never answers; ``drop_after`` breaks the TCP
    connection after so many units of work (seconds of audio heard, chunks sent), ``close_code`` closes properly
    instead; ``mute_after`` goes on taking everything and says nothing more (half-open); ``ignore_close`` reads
    nothing after the first message; ``unknown`` sends a message of an unknown type and one that is no JSON; ``error``
    sends the vendor's error
    object; ``anonymous`` leaves the context out of it; ``unfinished`` ends the answer properly but before its end;
    ``no_done`` leaves out the closing marker only.
    """

    status: int = 0
    hang: bool = False
    drop_after: float | None = None
    close_code: int = 0
    mute_after: float | None = None
    ignore_close: bool = False
    unknown: bool = False
    error: str = ""
    code: int = 500
    anonymous: bool = False
    unfinished: bool = False
    no_done: bool = False


WELL = Fault()


@dataclass(frozen=True)
class Delay:
    """How long one turn was made to take. Times are ``time.monotonic`` seconds, the same in all processes.

    ``key`` is what joins a turn over the three providers: the transcript, the last user message, the text that was
    spoken.
    """

    provider: str
    key: str
    asked_at: float
    answered_at: float
    delay_ms: float


@dataclass
class Plan:
    """The faults of the connections to come, and the log of delays."""

    faults: deque[Fault] = field(default_factory=deque)
    delays: list[Delay] = field(default_factory=list)
    delays_file: Path | None = None

    def next_fault(self) -> Fault:
        """Take the fault planned for this connection."""
        return self.faults.popleft() if self.faults else WELL

    def log(self, delay: Delay) -> None:
        """Remember a delay, and write it as one JSON line where a file was named."""
        self.delays.append(delay)
        if self.delays_file is not None:
            with self.delays_file.open("a") as file:
                file.write(json.dumps(asdict(delay)) + "\n")

    async def wait(self, provider: str, key: str, delay_ms: float) -> None:
        """Take the time that this turn was told to take."""
        asked_at = time.monotonic()
        await asyncio.sleep(delay_ms / 1000)
        self.log(Delay(provider, key, asked_at, time.monotonic(), delay_ms))
