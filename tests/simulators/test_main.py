import asyncio
import json
import socket
import sys
from pathlib import Path

from pytest_django.fixtures import Settings

from calls.engine.agent import AgentSpec
from calls.engine.events import EndOfTurn, Message
from calls.providers.base import GenerationRequest, RecognitionOptions, SpeechOptions, TextDelta
from calls.providers.cartesia import Cartesia
from calls.providers.deepgram import Deepgram
from calls.providers.openai import OpenAI
from calls.wire.audio import AudioFormat
from tests.simulators import sound

SPEC = AgentSpec(name="Ada", prompt="")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


async def test_one_turn_through_all_three_leaves_delays_that_its_words_join(settings: Settings, tmp_path: Path) -> None:
    ports = {name: free_port() for name in ("deepgram", "openai", "cartesia")}
    log = tmp_path / "delays.jsonl"
    options = [word for name, port in ports.items() for word in (f"--{name}-port", str(port))]
    command = ["-m", "tests.simulators", *options, "--delays-file", str(log), "--token-ms", "0", "--pace", "0"]
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(20):
            assert await process.stdout.readline() == b"ready\n"
            said = await one_turn(settings, ports)
    finally:
        process.terminate()
        await process.wait()
    assert process.returncode == 0
    delays = {delay["provider"]: delay for delay in map(json.loads, log.read_text().splitlines())}
    assert said == "I am caller 1, this is turn 0."
    assert {name: delay["key"] for name, delay in delays.items()} == {
        "deepgram": said,
        "openai": said,
        "cartesia": f"You said: {said}",
    }
    assert [delays[name]["delay_ms"] for name in ports] == [500.0, 200.0, 100.0]
    assert delays["deepgram"]["answered_at"] < delays["openai"]["answered_at"] < delays["cartesia"]["answered_at"]


async def one_turn(settings: Settings, ports: dict[str, int]) -> str:
    """Hear, answer and speak; gives what was heard."""
    settings.DEEPGRAM_BASE_URL = f"http://127.0.0.1:{ports['deepgram']}"
    settings.OPENAI_BASE_URL = f"http://127.0.0.1:{ports['openai']}/v1"
    settings.CARTESIA_BASE_URL = f"http://127.0.0.1:{ports['cartesia']}"
    settings.DEEPGRAM_MODEL = "flux-general-en"
    line = AudioFormat()
    ear, model, mouth = Deepgram().open(RecognitionOptions(format=line, spec=SPEC)), OpenAI(), Cartesia()
    await ear.connect()
    ear.hear(sound.encode("linear16", sound.spoken("one two three", 16_000)))
    turns = (event async for event in ear.events() if isinstance(event, EndOfTurn))
    said = (await anext(turns)).text
    request = GenerationRequest(messages=(Message("user", said),), spec=SPEC)
    answer = "".join([piece.text async for piece in model.generate(request) if isinstance(piece, TextDelta)])
    context = mouth.open(SpeechOptions(format=line, spec=SPEC)).begin(1)
    await context.say(0, answer)
    await context.finish()
    assert [piece async for piece in context.pieces()]
    for provider in (ear, model, mouth):
        await provider.aclose()
    return said
