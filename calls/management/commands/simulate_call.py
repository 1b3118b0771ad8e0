"""``simulate_call``: a whole call in the terminal, without a key, a microphone or a wait."""

from argparse import ArgumentParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from calls.demo import DEMO_AGENT
from calls.engine.agent import AgentSpec
from calls.engine.events import SpokenTurn
from calls.enums import Speaker
from calls.errors import AgentError
from calls.providers.cache import SpeechCache
from calls.providers.registry import CallProviders
from calls.providers.scripted import ScriptedAgent, ScriptedSpeechToText, ScriptedTextToSpeech
from calls.providers.vad import EnergyDetector
from calls.runner.call import CallLimits
from calls.runner.simulation import SimulatedCall, run_virtually, simulate
from calls.services import load_agent

_DEFAULT_LINES = 4


class Command(BaseCommand):
    """Hold a call with scripted providers on a virtual clock and show it as it was heard."""

    help = "Simulate a whole call in the terminal: scripted providers, a virtual clock, the real engine."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Define the options."""
        parser.add_argument(
            "lines", nargs="*", help="what the caller says, in order; a line that begins with ! cuts in"
        )
        parser.add_argument("--agent", help="id of a published agent (default: the demo agent as shipped)")

    def handle(self, *_args: Any, lines: list[str], agent: str | None, **_options: Any) -> None:
        """Simulate one call and print it."""
        try:
            spec = load_agent(agent).spec if agent else DEMO_AGENT
            with TemporaryDirectory() as folder:
                call = run_virtually(_hold(spec, lines or default_lines(spec), Path(folder)))
        except AgentError as error:
            raise CommandError(str(error)) from None
        self._show(call)

    def _show(self, call: SimulatedCall) -> None:
        for turn in call.sink.turns:
            self.stdout.write(describe(turn))
        for seconds, shown in call.shown:
            if shown[0] == "error":
                self.stderr.write(f"{_clock(seconds * 1000)}  error   {shown[1].value}: {shown[2]}")
        reason = call.sink.reason.value.replace("_", " ") if call.sink.reason else "unknown"
        self.stdout.write(f"{_clock(call.seconds * 1000)}  ended   {reason}")


async def _hold(spec: AgentSpec, lines: list[str], folder: Path) -> SimulatedCall:
    voice = ScriptedTextToSpeech()
    providers = CallProviders(
        stt=ScriptedSpeechToText([line.removeprefix("!").strip() for line in lines]),
        llms=(ScriptedAgent(),),
        tts=(voice,),
        vad=EnergyDetector(),
        cache=SpeechCache(folder),
    )
    limits = CallLimits(
        fallback_lines=settings.FALLBACK_LINES,
        turn_budget_seconds=settings.TURN_BUDGET_SECONDS,
    )
    return await simulate(spec, providers, lines, limits)


def default_lines(spec: AgentSpec) -> list[str]:
    """Give a few things that the agent's script expects, one of them cutting in, and its goodbye."""
    ending = [intent.examples[0] for intent in spec.intents if intent.ends_call and intent.examples]
    going_on = [intent.examples[0] for intent in spec.intents if not intent.ends_call and intent.examples]
    lines = going_on[:_DEFAULT_LINES] or ["Hello, who is this?"]
    return [*lines[:1], *(f"!{line}" for line in lines[1:2]), *lines[2:], *ending[:1]]


def describe(turn: SpokenTurn) -> str:
    """Give one line: when, who, what was heard, and how long the answer took."""
    who = "agent " if turn.speaker is Speaker.AGENT else "caller"
    cut = " -- interrupted" if turn.interrupted else ""
    line = f"{_clock(turn.started_ms)}  {who}  {turn.text}{cut}"
    if turn.latency is None:
        return line
    parts = turn.latency
    return (
        f"{line}\n{'':17}({parts.total:.0f} ms after the caller: "
        f"endpointing {parts.endpointing:.0f}, model {parts.llm:.0f}, voice {parts.tts:.0f})"
    )


def _clock(milliseconds: float) -> str:
    minutes, seconds = divmod(milliseconds / 1000, 60)
    return f"{int(minutes)}:{seconds:04.1f}"
