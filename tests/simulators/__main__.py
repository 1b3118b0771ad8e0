"""Run the simulators in a process of their own, which a benchmark can pin to another core than the server.

``python -m tests.simulators --deepgram-port 9101 --openai-port 9102 --cartesia-port 9103 --delays-file delays.jsonl``
prints ``ready`` when all listen, and stops on SIGTERM or SIGINT. A port of 0 leaves that simulator out. Every turn that
a provider was made to wait for is one JSON line of ``faults.Delay``; its ``key`` joins the three.
"""

import argparse
import asyncio
import signal
from contextlib import AsyncExitStack
from pathlib import Path

import uvloop

from tests.simulators.cartesia import CartesiaSimulator
from tests.simulators.deepgram import DeepgramSimulator
from tests.simulators.openai import OpenAISimulator

SCRIPT = ("I am caller {connection}, this is turn {turn}.",)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulators")
    for name in ("deepgram", "openai", "cartesia"):
        parser.add_argument(f"--{name}-port", type=int, default=0)
    parser.add_argument("--delays-file", type=Path)
    parser.add_argument("--script", action="append", help="a caller's line; {connection} and {turn} are filled in")
    parser.add_argument("--transcribe-tones", action="store_true", help="transcribe tone words instead of a script")
    parser.add_argument("--final-delay-ms", type=float, default=100.0)
    parser.add_argument("--end-of-turn-ms", type=float, default=400.0)
    parser.add_argument("--first-token-ms", type=float, default=200.0)
    parser.add_argument("--token-ms", type=float, default=10.0)
    parser.add_argument("--first-audio-ms", type=float, default=100.0)
    parser.add_argument("--pace", type=float, default=0.1)
    return parser.parse_args()


async def serve(chosen: argparse.Namespace) -> None:
    """Serve until a signal says stop."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    script = () if chosen.transcribe_tones else tuple(chosen.script or SCRIPT)
    async with AsyncExitStack() as stack:
        for simulator in (
            DeepgramSimulator(
                port=chosen.deepgram_port,
                script=script,
                final_delay_ms=chosen.final_delay_ms,
                end_of_turn_ms=chosen.end_of_turn_ms,
            ),
            OpenAISimulator(port=chosen.openai_port, first_token_ms=chosen.first_token_ms, token_ms=chosen.token_ms),
            CartesiaSimulator(port=chosen.cartesia_port, first_audio_ms=chosen.first_audio_ms, pace=chosen.pace),
        ):
            if simulator.port:
                simulator.delays_file = chosen.delays_file
                await stack.enter_async_context(simulator)
        print("ready", flush=True)  # noqa: T201 (the benchmark waits for it)
        await stop.wait()


if __name__ == "__main__":
    uvloop.run(serve(arguments()))  # cheaper than asyncio's own: they share a core with the callers
