"""Call every persona of the sandbox, three at a time, and show what became of each call.

``python -m tests.bench.bench_personas``: an installation of its own with the local providers and the demo agent, the
carrier beside it. It takes about five minutes, for people talk as long as they talk; ``interested ivr`` calls only
those, ``--times 3`` each of them in three wordings.
"""

import argparse
import asyncio
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from calls.sandbox.catalogue import CATALOGUE, Listing
from tests.processes import running
from tests.test_survival import Installation

_AT_ONCE = 3
_CALL_SECONDS = 400
_OUTCOME = """
SELECT a.status, a.answered_by, a.answered_kind, a.duration_seconds, s.end_reason, a.error,
  (SELECT judged.disposition FROM campaigns_callanalysis judged WHERE judged.session_id = a.session_id),
  (SELECT COUNT(*) FROM calls_turn t WHERE t.session_id = a.session_id AND t.speaker = 'caller'),
  (SELECT COUNT(*) FROM calls_turn t WHERE t.session_id = a.session_id AND t.speaker = 'agent')
FROM calls_callattempt a LEFT JOIN calls_callsession s ON s.id = a.session_id WHERE a.to_e164 = '{number}'
ORDER BY a.id
"""
_WORDS = """
SELECT a.to_e164, t.speaker, t.text FROM calls_turn t JOIN calls_callattempt a ON a.session_id = t.session_id
ORDER BY a.id, t."index"
"""


async def call(installation: Installation, listing: Listing, line: asyncio.Semaphore, times: int) -> None:
    """Call one persona so many times and print its rows."""
    command = ("manage.py", "place_call", listing.number, "--yes")
    async with line:
        for _ in range(times):
            async with running(*command, env=installation.env) as terminal:
                await terminal.rest(seconds=_CALL_SECONDS)
    async with running("manage.py", "analyse_calls", "--all", "--now", env=installation.env) as judge:
        await judge.rest(seconds=_CALL_SECONDS)
    rows = installation.rows(_OUTCOME.format(number=listing.number))
    for status, answered_by, kind, seconds, reason, error, disposition, callers, agents in rows:
        turns = f"{callers} + {agents}" if reason else "-"
        print(
            f"{listing.title:<18} {status:<11} {answered_by or '-':<18} {kind or '-':<10} {seconds or 0:>4} s"
            f"  {turns:<8} {disposition or '-':<15} {reason or error or '-'}",
            flush=True,
        )


async def main() -> None:
    """Serve, call them, and stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    kinds = [listing.kind.value for listing in CATALOGUE]
    parser.add_argument("personas", nargs="*", metavar="persona", help=f"of {', '.join(kinds)}; none: all")
    parser.add_argument("--words", action="store_true", help="show all turns at the end")
    parser.add_argument("--times", type=int, default=1, help="calls to each")
    options = parser.parse_args()
    if unknown := set(options.personas) - set(kinds):
        parser.error(f"nobody is called {', '.join(sorted(unknown))}; there are {', '.join(kinds)}")
    listings = [listing for listing in CATALOGUE if listing.kind in (options.personas or kinds)]
    with tempfile.TemporaryDirectory() as folder:
        installation = Installation(Path(folder))
        installation.env |= dict.fromkeys(("STT_PROVIDER", "LLM_PROVIDER", "TTS_PROVIDER"), "local")
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(installation.serving())
            carrier = await stack.enter_async_context(running("manage.py", "sandbox", env=installation.env))
            await carrier.until(lambda line: "the sandbox listens" in line)
            print(
                f"{'persona':<18} {'call':<11} {'machine detection':<18} {'we heard':<10} {'':>4}    {'turns':<8}"
                f" {'disposition':<15} the end"
            )
            line = asyncio.Semaphore(_AT_ONCE)
            await asyncio.gather(*(call(installation, listing, line, options.times) for listing in listings))
            if options.words:
                for number, speaker, text in installation.rows(_WORDS):
                    print(number[-2:], f"{speaker:<7}", text)


if __name__ == "__main__":
    asyncio.run(main())
