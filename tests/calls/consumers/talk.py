"""How the tests of whole calls speak, and what they look at."""

import asyncio
from pathlib import Path
from typing import Any

from calls.engine.agent import AgentSpec, Silence
from calls.enums import Speaker
from calls.providers.base import TextDelta
from calls.providers.scripted import ScriptedSpeechToText
from tests.calls.consumers.driver import Client, RealWorkshop, Workshop
from tests.calls.runner.fakes import FakeModel, agent

LOUD = b"\x00\x20" * 4096
QUIET = bytes(8192)
OPENING = "Hello, this is Ada, and I have quite something to tell you today."
PATIENT = Silence(reprompt_after_seconds=600.0)


def spec(**changes: Any) -> AgentSpec:
    return agent(**({"opening": OPENING, "silence": PATIENT, "goodbye": "Goodbye then."} | changes))


def model(*replies: str) -> FakeModel:
    return FakeModel(*([TextDelta(reply)] for reply in replies))


def workshop(
    folder: Path, *models: FakeModel, hears: tuple[str, ...] = ("who is this",), **changes: Any
) -> RealWorkshop:
    return RealWorkshop(spec(**changes), folder, *models, recogniser=ScriptedSpeechToText(hears))


async def speak(client: Client, *, family: str = "voicechat.audio", loud: int = 0, quiet: int = 0) -> None:
    """Send chunks as the React client does, each after the 256 ms that it holds."""
    for audio in [LOUD] * loud + [QUIET] * quiet:
        await asyncio.sleep(0.256)
        client.say(f"{family}.chunk", {"audio": audio, "isMuted": False, "timestamp": 1_767_225_600_123.0})


async def until_state(client: Client, state: str, name: str = "voicechat.state") -> None:
    while (await client.until(name))["payload"]["to"] != state:
        pass


def of(client: Client, *names: str) -> list[dict[str, Any]]:
    return [event["payload"] for event in client.events if event["eventType"] in names]


def words(made: Workshop) -> list[tuple[Speaker, str, bool]]:
    return [(turn.speaker, turn.text, turn.interrupted) for turn in made.sink.turns]


async def open_call(client: Client, family: str = "voicechat.audio", **payload: Any) -> None:
    """Start, and hear the opening line to its end."""
    client.say(f"{family}.start", payload)
    await until_state(
        client, "LISTENING", "voicechat.state" if family == "voicechat.audio" else "conversation.state.changed"
    )
