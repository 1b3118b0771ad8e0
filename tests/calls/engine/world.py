"""A small world around the engine: a model, a synthesiser, a line and a caller, all driven by one random source.

Audio is 60 ms a character and is really played: what was heard is known here without asking the engine.
"""

from random import Random

from msgspec.structs import replace

from calls.engine import events as ev
from calls.engine.agent import AgentSpec
from calls.engine.conversation import Conversation
from calls.enums import ConversationState, Role
from tests.calls.engine.scene import LINES

STEP = 0.02
MS_PER_CHARACTER = 60.0
LEAD_MS = 2000.0
CHUNK_MS = 300.0

ANSWERS = (
    "Yes, of course. We are open from nine to five. Would you like to book a table?",
    "It costs 3.50 a piece, which is a fair price. Anything else?",
    "Let me look. ||BREAK|| One moment. Here it is: the order was sent on Monday, and it should arrive soon.",
    "Sure.",
)
SAYINGS = ("I want a table for two", "what does it cost", "and my number is", "uh-huh", "wait please", "yeah", "")


class Line:
    """The way from sentences to the caller's ear, as the runner goes it."""

    def __init__(self) -> None:
        self.sentences: dict[int, dict[int, str]] = {}
        self.ended: set[int] = set()
        self.committed: list[int] = []
        self.sent_ms: dict[tuple[int, int], float] = {}
        self.done: set[tuple[int, int]] = set()
        self.playing: list[tuple[int, int, float, float]] = []
        self.free_at = 0.0

    def next_event(self, now: float) -> ev.Event | None:
        """Send the next piece if it may go out now."""
        if not self.committed:
            return None
        reply = self.committed[0]
        is_new = not any(key[0] == reply for key in self.sent_ms)
        if (self.free_at - now) * 1000 > (0.0 if is_new else LEAD_MS - CHUNK_MS):
            return None
        for number, text in sorted(self.sentences.get(reply, {}).items()):
            key = (reply, number)
            total = len(text) * MS_PER_CHARACTER
            sent = self.sent_ms.get(key, 0.0)
            if sent < total:
                length = min(CHUNK_MS, total - sent)
                begins = max(self.free_at, now)
                self.playing.append((reply, number, begins, length))
                self.free_at = begins + length / 1000
                self.sent_ms[key] = sent + length
                return ev.AudioSent(reply, number, length)
            if key not in self.done:
                self.done.add(key)
                return ev.SentenceSent(reply, number)
        if reply in self.ended:
            self.committed.pop(0)
            return ev.ReplySent(reply)
        return None

    def cancel(self, reply: int, now: float) -> None:
        """Empty what was not played."""
        if reply in self.committed:
            self.committed.remove(reply)
        if any(piece[0] == reply for piece in self.playing):
            self.free_at = min(self.free_at, now)
        self.sentences.pop(reply, None)

    def played(self, reply: int, texts: dict[int, str], now: float) -> str:
        """Give the characters of a reply that were really played."""
        heard = dict.fromkeys(texts, 0.0)
        for number, sentence, begins, length in self.playing:
            if number == reply and sentence in heard:
                heard[sentence] += min(max((now - begins) * 1000, 0.0), length)
        return " ".join(
            text[: round(heard[number] / MS_PER_CHARACTER)] for number, text in sorted(texts.items()) if heard[number]
        )


class World:
    """One call in the world."""

    def __init__(
        self,
        spec: AgentSpec,
        seed: int,
        *,
        failures: float = 0.0,
        tiers: int = 1,
        sayings: tuple[str, ...] = SAYINGS,
    ) -> None:
        self.random = Random(seed)  # noqa: S311 (a reproducible call, no secret)
        self.sayings = sayings
        self.has_tools = bool(spec.tools)
        self.failures = failures
        spec = replace(spec, opening="Hello, this is Ada. How can I help?", prompt="")
        self.conversation = Conversation(spec, fallback_lines=LINES, llm_tiers=tiers, tts_tiers=tiers)
        self.line = Line()
        self.now = 1.0
        self.written: dict[int, str] = {}
        self.streams: dict[int, list[str]] = {}
        self.silent_until: dict[int, float] = {}
        self.tool_calls: list[tuple[float, ev.CallTool]] = []
        self.actions: list[ev.Action] = []
        self.audio_ms = self.voiced_until_ms = self.voiced_ms = 0.0
        self.saying: list[str] = []
        self.said = ""
        self.settled: ev.TranscriptReceived | None = None
        self.speaks_until = 0.0
        self.cuts: list[tuple[str, str]] = []
        self.receive(ev.CallStarted())

    @property
    def is_over(self) -> bool:
        return self.conversation.state is ConversationState.ENDED

    def receive(self, event: ev.Event) -> None:
        actions = self.conversation.receive(event, self.now)
        self.actions += actions
        for action in actions:
            self.perform(action)

    def perform(self, action: ev.Action) -> None:
        line = self.line
        match action:
            case ev.Generate():
                text = self.random.choice(ANSWERS)
                self.written[action.reply] = text
                self.streams[action.reply] = [text[at : at + 5] for at in range(0, len(text), 5)]
                self.silent_until[action.reply] = self.now + self.random.choice((0.1, 0.3, 1.0))
            case ev.Speak():
                line.sentences.setdefault(action.reply, {})[action.sentence] = action.text
            case ev.EndSpeech():
                line.ended.add(action.reply)
            case ev.Commit():
                line.committed.append(action.reply)
            case ev.Discard():
                self.streams.pop(action.reply, None)
                line.sentences.pop(action.reply, None)
            case ev.Cancel():
                texts = dict(line.sentences.get(action.reply, {}))
                self.cuts.append((action.heard, line.played(action.reply, texts, self.now)))
                line.cancel(action.reply, self.now)
                if not action.keeps_text:
                    self.streams.pop(action.reply, None)
            case ev.CallTool():
                self.tool_calls.append((self.now + self.random.choice((0.0, 1.0, 20.0)), action))
            case ev.FlushRecogniser():
                self.settle()

    def settle(self) -> None:
        """Have the recogniser say its last word on all it heard; one time in ten it stays silent."""
        if self.random.random() > 0.1:
            self.settled = ev.TranscriptReceived(self.said, is_final=True, confidence=0.9, is_settled=True)
            self.said = ""

    # --- one step ---------------------------------------------------------------------------------------------------

    def step(self) -> None:
        """Let 20 ms pass."""
        self.now += STEP
        due = self.conversation.next_timeout()
        if due is not None and due <= self.now:
            self.receive(ev.TimePassed())
        self.move_caller()
        self.move_model()
        while not self.is_over and (event := self.line.next_event(self.now)) is not None:
            self.receive(event)
        for at, call in list(self.tool_calls):
            if self.now >= at:
                self.tool_calls.remove((at, call))
                self.receive(ev.ToolReturned(call.reply, call.request, "It is there."))

    def move_caller(self) -> None:
        """The caller speaks now and then; half of what he says overlaps the agent."""
        if self.now >= self.speaks_until and self.random.random() < 0.01:
            self.speaks_until = self.now + self.random.choice((0.1, 0.3, 1.0))
            self.saying = self.random.choice(self.sayings).split()
        is_voiced = self.now < self.speaks_until
        self.audio_ms += 20.0
        self.voiced_ms = self.voiced_ms + 20.0 if is_voiced else 0.0
        if is_voiced:
            self.voiced_until_ms = self.audio_ms
        self.receive(ev.AudioHeard(self.audio_ms, self.voiced_until_ms, self.voiced_ms))
        if (settled := self.settled) is not None:
            self.settled = None
            self.receive(settled)
        elif self.saying and self.random.random() < 0.1:
            word = self.saying.pop(0)
            self.said = f"{self.said} {word}".strip()
            self.receive(ev.TranscriptReceived(self.said, is_final=False))

    def move_model(self) -> None:
        """Each stream gives a piece now and then, and fails as often as it was told to."""
        for reply, stream in list(self.streams.items()):
            if reply not in self.streams or self.now < self.silent_until[reply]:
                continue
            if self.random.random() < self.failures:
                self.streams.pop(reply)
                role = self.random.choice((Role.LLM, Role.TTS))
                self.receive(ev.ReplyFailed(reply, role, "gone", retryable=True))
            elif stream:
                self.receive(ev.ReplyDelta(reply, stream.pop(0)))
            else:
                self.streams.pop(reply)
                if self.has_tools and self.random.random() < 0.2:
                    name = self.random.choice(("look_up", "end_call"))
                    self.receive(ev.ReplyToolRequested(reply, ev.ToolRequest(f"t{reply}", name, "{}")))
                self.receive(ev.ReplyGenerated(reply, ev.Usage(100, 20)))
