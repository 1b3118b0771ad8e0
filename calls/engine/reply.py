"""One reply of the agent: its text as it is made, its sentences as they are spoken, and what was heard of them."""

from enum import Enum, auto

from calls.engine.events import Latency, Message, Speak, ToolRequest, Usage, Word
from calls.engine.playout import PlaybackClock, SpokenSentence, heard_characters
from calls.engine.scripts import join_pieces
from calls.engine.sentences import BREAK, MarkerFilter, SentenceCutter, clause_start, is_question
from calls.engine.timing import Timing
from calls.enums import EndReason, ErrorCode

_INTERRUPTED_RESULT = "The caller interrupted before this was finished. The call goes on."


class Purpose(Enum):
    """Why the agent speaks."""

    ANSWER = auto()
    """The model's words."""
    LINE = auto()
    """A fixed line: a re-prompt, an answer to a machine."""
    OPENING = auto()
    """The first words of the call."""
    APOLOGY = auto()
    """The fixed line of a failing turn."""
    FAREWELL = auto()
    """The last words; nobody can interrupt them."""


class Outcome(Enum):
    """How the text of a reply ended when there is nothing (more) to speak."""

    NOTHING_SAID = auto()
    OVER = auto()


class ToolStep:
    """Tools that the model asked for at one point of a reply, and their answers."""

    def __init__(self) -> None:
        self.requests: list[ToolRequest] = []
        self.results: dict[str, str] = {}

    @property
    def is_answered(self) -> bool:
        """Whether every request has its answer."""
        return all(request.call_id in self.results for request in self.requests)

    def messages(self, content: str) -> list[Message]:
        """Give the request and all its answers, synthetic ones where a tool was interrupted."""
        request = Message(role="assistant", content=content, tool_requests=tuple(self.requests))
        answers = [
            Message(
                role="tool",
                content=self.results.get(request.call_id, _INTERRUPTED_RESULT),
                tool_call_id=request.call_id,
            )
            for request in self.requests
        ]
        return [request, *answers]


class Reply:
    """One reply. ``number`` names it on the wire; ``generation`` is the number under which the model makes its text."""

    def __init__(self, number: int, purpose: Purpose, *, caller: str = "") -> None:
        self.number = number
        self.generation = number
        self.purpose = purpose
        self.caller = caller  # the words it answers, while they are no turn yet
        self.timing = Timing()
        self.is_committed = False
        self.is_generated = purpose is not Purpose.ANSWER  # the model will write nothing more
        self.is_speech_ended = False  # the synthesiser knows that no sentence follows
        self.is_sent = False  # all audio was handed to the socket
        self.is_cut_off = False  # what was sent is played out, and nothing follows it
        self.keeps_text = False  # it was cancelled, but the model goes on writing
        self.outcome: Outcome | None = None  # set by the text side, taken by ``Answering``
        self.failure: ErrorCode | None = None  # what to apologise for when it was played
        self.ends_call: EndReason | None = None  # why the call ends when it was played
        self.names = {number}  # its numbers before it was resumed count too: tools answer late
        self.budget_from = 0.0  # seconds; from here the time to first audio counts
        self.is_model_silent = False  # asked, and not one piece has come
        self.called: set[str] = set()  # tools that were called, by ``call_id``
        self.turn_began_at: float | None = None  # first audio, under whichever number
        self.turn_latency: Latency | None = None
        self.usage: Usage | None = None
        self.asked: tuple[Message, ...] = ()  # the context of the last request
        self.tier = 0
        self.tts_tier = 0
        self.clock = PlaybackClock()
        self.progress_at = 0.0  # seconds; the last sign of life since audio began
        self.held_tokens: list[str] = []  # shown at the commit
        self.protected = 0  # so many sentences, from the first, nobody interrupts
        self._items: list[SpokenSentence | ToolStep] = []
        self._past = 0  # so many items were heard under earlier numbers
        self._handed = 0  # so many own sentences went to the synthesiser
        self._marker = MarkerFilter()
        self._cutter = SentenceCutter()
        self._heard: list[int] | None = None  # characters heard of each own sentence, once frozen

    # --- text in ----------------------------------------------------------------------------------------------------

    def add_text(self, delta: str) -> str:
        """Take generated text; give what of it may be shown."""
        shown = []
        for piece in self._marker.feed(delta):
            self._add(self._cutter.cut() if piece is None else self._cutter.feed(piece))
            shown.append(piece or "")
        return "".join(shown)

    def add_line(self, text: str) -> None:
        """Take a fixed line; it is spoken as one piece, so that a stored recording of it can be used."""
        self._add([piece.strip() for piece in text.split(BREAK) if piece.strip()])

    def close_text(self) -> str:
        """The text of this round is complete; give what of it was still held back from being shown."""
        rest = self._marker.finish()
        self._add([*self._cutter.feed(rest), *self._cutter.cut()])
        return rest

    def drop_unfinished_text(self) -> None:
        """Forget the beginning of a sentence whose end will never come."""
        self._marker = MarkerFilter()
        self._cutter = SentenceCutter(is_first=not self._sentences)

    def _add(self, pieces: list[str]) -> None:
        self._items += [SpokenSentence(piece) for piece in pieces]

    def ask_tool(self, request: ToolRequest) -> str:
        """Note that the model asks for a tool; give what of the text was still to be shown."""
        rest = self.close_text()
        if not self._items or not isinstance(self._items[-1], ToolStep) or self._items[-1].is_answered:
            self._items.append(ToolStep())
        step = self._items[-1]
        if isinstance(step, ToolStep):
            step.requests.append(request)
        return rest

    def answer_tool(self, call_id: str, result: str) -> None:
        """Take a tool's answer."""
        for step in self.tool_steps:
            if any(request.call_id == call_id for request in step.requests):
                step.results.setdefault(call_id, result)

    def time_out_tools(self, result: str) -> None:
        """Go on without the tools that have not answered."""
        for step in self.tool_steps:
            for request in step.requests:
                step.results.setdefault(request.call_id, result)

    def fill_wait(self, text: str) -> None:
        """Say a fixed line while tools are at work. For the model it comes before the request for them."""
        step = len(self._items) - 1
        self._items.insert(max(step, self._past), SpokenSentence(text.strip()))

    @property
    def is_waiting_for_tools(self) -> bool:
        """Whether the model has asked for tools, and goes on when they have answered."""
        step = self.open_step
        return step is not None and not step.is_answered and self.is_generated

    @property
    def tool_steps(self) -> list[ToolStep]:
        """The points at which tools were asked for."""
        return [item for item in self._items if isinstance(item, ToolStep)]

    @property
    def open_step(self) -> ToolStep | None:
        """The tools asked for last, if the model has not gone on since."""
        last = self._items[-1] if self._items else None
        return last if isinstance(last, ToolStep) else None

    @property
    def _sentences(self) -> list[SpokenSentence]:
        """The sentences of this reply's own audio."""
        return [item for item in self._items[self._past :] if isinstance(item, SpokenSentence)]

    @property
    def text(self) -> str:
        """What the reply says as a whole."""
        return join_pieces([item.text for item in self._items if isinstance(item, SpokenSentence)])

    @property
    def own_text(self) -> str:
        """What is spoken under this reply's number."""
        return join_pieces([sentence.text for sentence in self._sentences])

    # --- speech out -------------------------------------------------------------------------------------------------

    def take_sentences(self, now: float) -> list[Speak]:
        """Give the sentences that are to be spoken now. Before the commit that is the first one only."""
        sentences = self._sentences
        ready = sentences if self.is_committed else sentences[:1]
        speak = [
            Speak(self.number, number, sentences[number].text, self.tts_tier)
            for number in range(self._handed, len(ready))
        ]
        self._handed = max(len(ready), self._handed)
        if speak and self.timing.first_speak_at is None:
            self.timing.first_speak_at = now
        return speak

    def speak_again(self, tts_tier: int) -> None:
        """Begin the speech anew with another synthesiser; nothing was heard yet."""
        self.tts_tier = tts_tier
        self._handed = 0
        self.is_speech_ended = False

    @property
    def is_waiting_for_text(self) -> bool:
        """Whether all there is to say was said, and the model has not finished."""
        return not self.is_generated and all(sentence.is_sent for sentence in self._sentences)

    @property
    def is_resumed(self) -> bool:
        """Whether a part of this turn was heard under an earlier number."""
        return self._past > 0 or len(self.names) > 1

    @property
    def has_sentences(self) -> bool:
        """Whether there is anything to speak."""
        return bool(self._sentences)

    @property
    def is_started(self) -> bool:
        """Whether any audio was sent."""
        return self.timing.first_audio_at is not None

    @property
    def is_unheard_answer(self) -> bool:
        """Whether the model's answer has not begun to sound, so that further words belong to what it answers."""
        return self.purpose is Purpose.ANSWER and not self.is_started and not self.is_resumed

    def note_audio(self, sentence: int, duration_ms: float, now: float) -> None:
        """A piece of audio was sent."""
        sentences = self._sentences
        if 0 <= sentence < len(sentences):
            sentences[sentence].sent_ms += duration_ms
        self.clock.add(duration_ms, now)
        self.progress_at = now
        if self.timing.first_audio_at is None:
            self.timing.first_audio_at = now
            if self.turn_began_at is None:
                self.turn_began_at, self.turn_latency = now, self.timing.latency()

    def note_sentence_sent(self, sentence: int) -> None:
        """All audio of a sentence was sent."""
        sentences = self._sentences
        if 0 <= sentence < len(sentences):
            sentences[sentence].is_sent = True

    def note_words(self, sentence: int, words: tuple[Word, ...]) -> None:
        """The synthesiser says when words sound."""
        sentences = self._sentences
        if 0 <= sentence < len(sentences):
            sentences[sentence].words += words

    def note_sent(self) -> None:
        """All audio of the reply was sent."""
        self.is_sent = True
        for sentence in self._sentences:
            sentence.is_sent = True

    # --- heard ------------------------------------------------------------------------------------------------------

    def freeze(self, now: float) -> None:
        """Playing stops now: what has been heard stays as it is."""
        self._heard = heard_characters(self._sentences, self.clock.played_ms(now))

    def _heard_texts(self, now: float) -> dict[int, str]:
        """Map the identity of each sentence to what was heard of it."""
        own = self._sentences
        counts = self._heard if self._heard is not None else heard_characters(own, self.clock.played_ms(now))
        counts = [*counts, *([0] * (len(own) - len(counts)))]
        heard = {id(sentence): sentence.text[:count] for sentence, count in zip(own, counts, strict=True)}
        past = [item for item in self._items[: self._past] if isinstance(item, SpokenSentence)]
        return heard | {id(sentence): sentence.text for sentence in past}

    def heard_text(self, now: float) -> str:
        """What was heard of the turn."""
        heard = self._heard_texts(now)
        texts = [heard[id(item)] for item in self._items if isinstance(item, SpokenSentence)]
        return join_pieces([text for text in texts if text])

    def own_heard_text(self, now: float) -> str:
        """What was heard of the turn under this reply's number."""
        heard = self._heard_texts(now)
        return join_pieces([text for sentence in self._sentences if (text := heard[id(sentence)])])

    def heard_messages(self, now: float) -> tuple[Message, ...]:
        """The turn as the model shall remember it: the words that were heard, the tools that were asked."""
        heard = self._heard_texts(now)
        return self._messages(heard)

    def made_messages(self) -> tuple[Message, ...]:
        """The turn as the model wrote it so far, for its own continuation."""
        return self._messages({id(item): item.text for item in self._items if isinstance(item, SpokenSentence)})

    def _messages(self, texts: dict[int, str]) -> tuple[Message, ...]:
        messages: list[Message] = []
        said: list[str] = []
        for item in self._items:
            if isinstance(item, ToolStep):
                messages += item.messages(join_pieces(said))
                said = []
            elif text := texts[id(item)]:
                said.append(text)
        if said:
            messages.append(Message(role="assistant", content=join_pieces(said)))
        return tuple(messages)

    def is_protected(self, now: float) -> bool:
        """Whether what is to be heard in any case has not been heard to its end."""
        if not self.protected:
            return False
        heard = self._heard_texts(now)
        return any(heard[id(sentence)] != sentence.text for sentence in self._sentences[: self.protected])

    def heard_question(self, now: float) -> str:
        """Give the sentence that is being heard, or was heard last, if it is a question; else nothing."""
        heard = self._heard_texts(now)
        last = next((sentence.text for sentence in reversed(self._sentences) if heard[id(sentence)]), "")
        return last if is_question(last) else ""

    # --- again ------------------------------------------------------------------------------------------------------

    def rest(self, number: int) -> "Reply":
        """Make the reply that speaks what was not heard, from the start of the clause that was cut.

        ``freeze`` comes first.
        """
        reply = Reply(number, self.purpose, caller=self.caller)
        reply.generation = self.generation
        reply.is_generated = self.is_generated
        reply.ends_call = self.ends_call
        reply.usage = self.usage
        reply.asked = self.asked
        reply.is_model_silent, reply.called, reply.names = self.is_model_silent, self.called, {*self.names, number}
        reply.turn_began_at, reply.turn_latency = self.turn_began_at, self.turn_latency
        if not self.is_started:
            reply.timing = self.timing
        reply.failure = self.failure if self.failure is ErrorCode.LLM else None
        reply.tier, reply.tts_tier = self.tier, self.tts_tier
        reply._marker, reply._cutter = self._marker, self._cutter
        heard, coming = self._split()
        reply._items, reply._past = [*heard, *_unspoken(coming)], len(heard)
        return reply

    def _split(self) -> tuple[list[SpokenSentence | ToolStep], list[SpokenSentence | ToolStep]]:
        """Part the items at the clause in which the hearing stopped."""
        counts = self._heard if self._heard is not None else []
        position = self._past
        for count in counts:
            while isinstance(self._items[position], ToolStep):
                position += 1
            item = self._items[position]
            if isinstance(item, SpokenSentence) and count < len(item.text):
                start = clause_start(item.text, count)
                before = [SpokenSentence(item.text[:start].rstrip())] if start else []
                after = [SpokenSentence(item.text[start:])] if start < len(item.text) else []
                return [*self._items[:position], *before], [*after, *self._items[position + 1 :]]
            position += 1
        return self._items[:position], self._items[position:]

    def restart(self, number: int, tier: int) -> "Reply":
        """Make the reply that asks another model for the same, keeping the tools that were already answered."""
        reply = Reply(number, self.purpose, caller=self.caller)
        reply.timing, reply.called = self.timing, self.called
        reply.tier, reply.tts_tier = tier, self.tts_tier
        steps = [at for at, item in enumerate(self._items) if isinstance(item, ToolStep)]
        kept = self._items[: steps[-1] + 1] if steps else []
        reply._items = _unspoken(kept)
        return reply


def _unspoken(items: list[SpokenSentence | ToolStep]) -> list[SpokenSentence | ToolStep]:
    """Give the same sentences without what was sent of them under another number."""
    return [SpokenSentence(item.text) if isinstance(item, SpokenSentence) else item for item in items]
