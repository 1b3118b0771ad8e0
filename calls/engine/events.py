"""What the engine is told (events, past participles) and what it wants done (actions, imperatives).

Every event is handed to ``Conversation.receive(event, now)`` with ``now`` in seconds of one monotonic clock. Replies
and caller utterances are numbered from 1 within a call; a late event of an old reply is recognised by its number.
Audio times (``*_ms`` of the caller) count milliseconds of received audio since the call began, not wall time.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from calls.engine.asides import Aside, AsideAction, LineGiven
from calls.enums import CancelReason, ConversationState, EndReason, ErrorCode, Role, Speaker


class Word(Struct, frozen=True, gc=False):
    """One spoken word and when it sounds, in milliseconds from the start of its sentence's audio."""

    text: str
    start_ms: float
    end_ms: float


class Usage(Struct, frozen=True, gc=False):
    """Tokens of one generation as the provider reports them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


class Latency(Struct, frozen=True, gc=False):
    """Parts of one voice-to-voice latency in milliseconds.

    ``endpointing``: end of the caller's speech to the decision; ``stt``: of it, waiting for the final transcript after
    the patience; ``llm``: request to first delta; ``tts``: first text handed over to first audio; ``total``: end of
    speech to the agent's first frame on the socket. The parts overlap, so they need not add up.
    """

    endpointing: float = 0.0
    stt: float = 0.0
    llm: float = 0.0
    tts: float = 0.0
    total: float = 0.0


class ToolRequest(Struct, frozen=True, gc=False):
    """The model asks for a tool; ``arguments`` is its JSON text, unchecked."""

    call_id: str
    name: str
    arguments: str


class Message(Struct, frozen=True, gc=False):
    """One entry of the language model's context. ``role``: system, user, assistant or tool."""

    role: str
    content: str
    tool_requests: tuple[ToolRequest, ...] = ()
    tool_call_id: str = ""


class SpokenTurn(Struct, frozen=True, gc=False):
    """One finished contribution, as heard. ``index`` counts from 0 within the call and is the idempotency key.

    ``started_ms`` and ``ended_ms`` are wall milliseconds since the call began.
    """

    index: int
    speaker: Speaker
    text: str
    started_ms: int
    ended_ms: int
    interrupted: bool = False
    confidence: float | None = None
    latency: Latency | None = None
    usage: Usage | None = None


# --- events: the call -------------------------------------------------------------------------------------------------


class CallStarted(Struct, frozen=True, gc=False):
    """The conversation may begin. ``opening`` is false for an implicit start after a reconnect.

    ``detects_turns``: the recogniser itself decides when a turn ended (``EndOfTurn``), so patience does not apply.
    """

    opening: bool = True
    detects_turns: bool = False


class CallResumed(Struct, frozen=True, gc=False):
    """A second ``start``: the input begins anew, the history stays. An opening that was never spoken is spoken now."""


class TimePassed(Struct, frozen=True, gc=False):
    """``Conversation.next_timeout()`` was reached."""


class HangUpRequested(Struct, frozen=True, gc=False):
    """The caller's side asks to end the call: say goodbye, then finish."""


class Disconnected(Struct, frozen=True, gc=False):
    """The socket is gone: nothing can be said any more. Words the recogniser still owes of the caller's are a turn."""

    reason: EndReason = EndReason.CALLER_DISCONNECTED


class InputEnded(Struct, frozen=True, gc=False):
    """The microphone was closed (``audio.input.end``): what was said is a finished turn."""


class InterruptRequested(Struct, frozen=True, gc=False):
    """Stop the agent now (a button, not a voice)."""


class TextTyped(Struct, frozen=True, gc=False):
    """A typed turn."""

    text: str


# --- events: hearing --------------------------------------------------------------------------------------------------


class AudioHeard(Struct, frozen=True, gc=False):
    """Caller audio arrived and went through voice activity detection.

    ``until_ms``: how much audio there was so far. ``voiced_until_ms``: where in it the last window of speech ended (0:
    none yet). ``voiced_ms``: speech in the current run (short gaps bridged), 0 while the gate is closed.
    """

    until_ms: float
    voiced_until_ms: float
    voiced_ms: float


class SpeechStarted(Struct, frozen=True, gc=False):
    """The recogniser itself noticed speech."""


class TranscriptReceived(Struct, frozen=True, gc=False):
    """Words of the current utterance.

    Interim (``is_final`` false): ``text`` is all words since the last final; it replaces the interim before. Final:
    ``text`` is a further piece that will not change; it may be empty. ``is_settled``: nothing more will come for the
    audio heard so far.
    """

    text: str
    is_final: bool
    confidence: float = 1.0
    is_settled: bool = False


class EagerEndOfTurn(Struct, frozen=True, gc=False):
    """A turn-detecting recogniser thinks that the caller has probably finished. ``text`` is the whole turn."""

    text: str
    confidence: float = 1.0


class TurnResumed(Struct, frozen=True, gc=False):
    """... and takes it back: the caller goes on."""


class EndOfTurn(Struct, frozen=True, gc=False):
    """The caller has finished for certain. ``text`` is the whole turn."""

    text: str
    confidence: float = 1.0


class RecognitionFailed(Struct, frozen=True, gc=False):
    """The recogniser is gone for good (reconnects included); ``connecting``: it was never reached in this call."""

    message: str
    connecting: bool = False


# --- events: a reply --------------------------------------------------------------------------------------------------


class ReplyDelta(Struct, frozen=True, gc=False):
    """Text of a reply as it is generated."""

    reply: int
    text: str


class ReplyToolRequested(Struct, frozen=True, gc=False):
    """The model asks for a tool in this reply."""

    reply: int
    request: ToolRequest


class ToolReturned(Struct, frozen=True, gc=False):
    """A tool answered; ``result`` is what the model reads. ``last``: words with which the reply ends."""

    reply: int
    request: ToolRequest
    result: str
    last: LineGiven | None = None


class ReplyGenerated(Struct, frozen=True, gc=False):
    """The model has finished this reply's text."""

    reply: int
    usage: Usage | None = None


class ReplyFailed(Struct, frozen=True, gc=False):
    """Making this reply failed: ``role`` LLM (text) or TTS (speech)."""

    reply: int
    role: Role
    message: str
    retryable: bool


class SentenceTimed(Struct, frozen=True, gc=False):
    """Further word times of a sentence, from the synthesiser."""

    reply: int
    sentence: int
    words: tuple[Word, ...]


class AudioSent(Struct, frozen=True, gc=False):
    """A piece of a sentence's audio was handed to the socket."""

    reply: int
    sentence: int
    duration_ms: float


class SentenceSent(Struct, frozen=True, gc=False):
    """All audio of this sentence was handed to the socket."""

    reply: int
    sentence: int


class ReplySent(Struct, frozen=True, gc=False):
    """All audio of this reply was handed to the socket."""

    reply: int


class PlayedOut(Struct, frozen=True, gc=False):
    """The far end says how much of the reply it has really played (a mark, or ``audio.output.played``)."""

    reply: int
    played_ms: float


Event = (
    CallStarted | CallResumed | TimePassed | HangUpRequested | Disconnected | InputEnded | InterruptRequested |
    TextTyped | AudioHeard | SpeechStarted | TranscriptReceived | EagerEndOfTurn | TurnResumed | EndOfTurn |
    RecognitionFailed | ReplyDelta | ReplyToolRequested | ToolReturned | ReplyGenerated | ReplyFailed | SentenceTimed |
    AudioSent | SentenceSent | ReplySent | PlayedOut | Aside
)  # fmt: skip

# --- actions: making a reply, telling the other side, keeping what was said -------------------------------------------


class Generate(Struct, frozen=True, gc=False):
    """Ask the language model. ``tier`` 0 is the agent's provider, 1 its fallback."""

    reply: int
    messages: tuple[Message, ...]
    speculative: bool = False
    tier: int = 0


class Speak(Struct, frozen=True, gc=False):
    """Synthesise one sentence (numbered from 0). Audio of a reply that is not committed is prepared, never sent."""

    reply: int
    sentence: int
    text: str
    tier: int = 0


class EndSpeech(Struct, frozen=True, gc=False):
    """No further sentence of this reply follows."""

    reply: int


class Commit(Struct, frozen=True, gc=False):
    """The reply is certain: its audio may go out. Sent once for every reply that is ever heard."""

    reply: int


class Discard(Struct, frozen=True, gc=False):
    """Drop a reply that was never committed, with its generation and its audio."""

    reply: int


class Cancel(Struct, frozen=True, gc=False):
    """Stop a committed reply: speech, queued audio, what the far end has buffered, and the generation.

    ``keeps_text``: the interruption may be none, so the generation goes on; a ``Discard`` of this number ends it.
    """

    reply: int
    reason: CancelReason
    heard: str
    keeps_text: bool = False


class CallTool(Struct, frozen=True, gc=False):
    """Run a tool of the outside world and answer with ``ToolReturned``."""

    reply: int
    request: ToolRequest


class ShowState(Struct, frozen=True, gc=False):
    """The state changed."""

    before: ConversationState
    after: ConversationState


class ShowTranscript(Struct, frozen=True, gc=False):
    """What the caller is saying (interim: all of it so far) or has said (final: the whole utterance, once)."""

    utterance: int
    text: str
    is_final: bool
    confidence: float
    duration_ms: float = 0.0


class ShowToken(Struct, frozen=True, gc=False):
    """Agent text of a committed reply, as it is generated (markers removed)."""

    reply: int
    text: str


class CompleteReply(Struct, frozen=True, gc=False):
    """The reply's last byte was sent."""

    reply: int
    text: str
    latency: Latency | None


class ShowLatency(Struct, frozen=True, gc=False):
    """The first audio of an answer was sent: so long did the caller wait for it."""

    reply: int
    latency: Latency


class ReportError(Struct, frozen=True, gc=False):
    """Tell the other side that something failed."""

    code: ErrorCode
    message: str
    retryable: bool


class FlushRecogniser(Struct, frozen=True, gc=False):
    """Ask the recogniser for the final words of what it has heard, now."""


class Record(Struct, frozen=True, gc=False):
    """A turn is finished: store it."""

    turn: SpokenTurn


class RecordEvent(Struct, frozen=True, gc=False):
    """Something about the call worth keeping; ``detail`` is JSON-able and holds no words of the caller."""

    kind: str
    detail: Mapping[str, Any]


class Finish(Struct, frozen=True, gc=False):
    """The conversation is over and everything sayable was played."""

    reason: EndReason


Action = (
    Generate | Speak | EndSpeech | Commit | Discard | Cancel | CallTool | ShowState | ShowTranscript | ShowToken
    | CompleteReply | ShowLatency | ReportError | FlushRecogniser | Record | RecordEvent | Finish | AsideAction
)  # fmt: skip
