"""Any sequence of events, in any order, at any time: what must always hold."""

from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calls.engine import events as ev
from calls.engine.agent import AgentSpec, BargeIn, Endpointing, Silence
from calls.engine.conversation import TRANSITIONS, Conversation
from calls.enums import ConversationState, EndReason, Role, Speaker
from tests.calls.engine.scene import LINES, agent

TEXTS = st.sampled_from([
    "", "uh-huh", "wait", "I want", "I want a table", "I want a table for two.", "no", "yeah", "Stop!", "你好", "and",
    "Hello there.", "One, two", "||BREAK||", "Yes. I can do that, of course. Anything else?", "goodbye now",
])  # fmt: skip
REPLIES = st.integers(min_value=0, max_value=9)
DURATIONS = st.sampled_from([0.0, 20.0, 100.0, 300.0, 900.0])
TOOLS = st.builds(
    ev.ToolRequest,
    call_id=st.sampled_from(["a", "b", ""]),
    name=st.sampled_from(["end_call", "look_up"]),
    arguments=st.sampled_from(["", "{}", "not json", '{"goodbye": "Bye bye."}', "[]", '{"goodbye": 3}']),
)
WORDS = st.lists(st.builds(ev.Word, TEXTS, st.floats(0, 900), st.floats(0, 900)), max_size=3).map(tuple)
USAGES = st.none() | st.builds(ev.Usage, st.integers(0, 9000), st.integers(0, 900))

EVENTS = st.one_of(
    st.builds(ev.CallStarted, st.booleans(), st.booleans()),
    st.builds(ev.CallResumed),
    st.builds(ev.TimePassed),
    st.builds(ev.InputEnded),
    st.builds(ev.InterruptRequested),
    st.builds(ev.TextTyped, TEXTS),
    st.builds(ev.AudioHeard, st.floats(0, 60_000), st.floats(0, 60_000), st.floats(0, 2000)),
    st.builds(ev.SpeechStarted),
    st.builds(ev.TranscriptReceived, TEXTS, st.booleans(), st.floats(0, 1), st.booleans()),
    st.builds(ev.EagerEndOfTurn, TEXTS),
    st.builds(ev.TurnResumed),
    st.builds(ev.EndOfTurn, TEXTS),
    st.builds(ev.ReplyDelta, REPLIES, TEXTS),
    st.builds(ev.ReplyToolRequested, REPLIES, TOOLS),
    st.builds(ev.ToolReturned, REPLIES, TOOLS, TEXTS),
    st.builds(ev.ReplyGenerated, REPLIES, USAGES),
    st.builds(ev.ReplyFailed, REPLIES, st.sampled_from([Role.LLM, Role.TTS]), TEXTS, st.booleans()),
    st.builds(ev.SentenceTimed, REPLIES, st.integers(0, 3), WORDS),
    st.builds(ev.AudioSent, REPLIES, st.integers(0, 3), DURATIONS),
    st.builds(ev.SentenceSent, REPLIES, st.integers(0, 3)),
    st.builds(ev.ReplySent, REPLIES),
    st.builds(ev.PlayedOut, REPLIES, st.floats(0, 2000)),
)
RARE = st.one_of(
    st.builds(ev.HangUpRequested),
    st.builds(ev.Disconnected, st.sampled_from(EndReason)),
    st.builds(ev.RecognitionFailed, TEXTS, st.booleans()),
)
STEPS = st.lists(
    st.tuples(EVENTS | EVENTS | EVENTS | EVENTS | RARE, st.sampled_from([0.0, 0.0, 0.02, 0.3, 1.0, 12.0])), max_size=60
)
SPECS = st.builds(
    agent,
    opening=st.just("Hello, this is Ada."),
    barge_in=st.sampled_from([BargeIn(), BargeIn(interrupt_after_ms=0), BargeIn(false_interruption_ms=0)]),
    endpointing=st.sampled_from([Endpointing(), Endpointing(eager_ms=0), Endpointing(patience_ms=0)]),
    silence=st.sampled_from([Silence(), Silence(reprompts=(), goodbye=""), Silence(max_reprompts=0)]),
    max_duration_seconds=st.sampled_from([30, 1800]),
    goodbye=st.sampled_from(["", "Bye."]),
)


class Watch:
    """Checks every action against all that came before."""

    def __init__(self) -> None:
        self.state = ConversationState.INITIALIZING
        self.committed: set[int] = set()
        self.gone: set[int] = set()
        self.turns = 0
        self.finished = False

    def see(self, actions: Sequence[ev.Action]) -> None:
        for action in actions:
            assert not self.finished, "an action after Finish"
            self.check(action)

    def check(self, action: ev.Action) -> None:
        match action:
            case ev.ShowState():
                assert action.before is self.state
                assert action.after in TRANSITIONS[action.before]
                self.state = action.after
            case ev.Commit():
                assert action.reply not in self.committed
                assert action.reply not in self.gone
                self.committed.add(action.reply)
            case ev.Generate():
                assert action.reply not in self.gone
                assert_tools_are_answered(action.messages)
            case ev.Speak() | ev.EndSpeech():
                assert action.reply not in self.gone
            case ev.ShowToken() | ev.CompleteReply() | ev.CallTool():
                assert action.reply in self.committed - self.gone
            case ev.Cancel():
                assert action.reply in self.committed - self.gone
                self.gone.add(action.reply)
            case ev.Discard():
                self.gone.add(action.reply)
            case ev.Record():
                assert action.turn.index == self.turns
                assert action.turn.text.strip()
                assert action.turn.started_ms <= action.turn.ended_ms
                self.turns += 1
            case ev.Finish():
                assert self.state is ConversationState.ENDED
                self.finished = True


def assert_tools_are_answered(messages: Sequence[ev.Message]) -> None:
    for at, message in enumerate(messages):
        asked = [request.call_id for request in message.tool_requests]
        answers = [later.tool_call_id for later in messages[at + 1 : at + 1 + len(asked)]]
        assert answers == asked
        if message.role == "tool":
            before = next(earlier for earlier in reversed(messages[:at]) if earlier.role != "tool")
            assert message.tool_call_id in [request.call_id for request in before.tool_requests]


def assert_time_goes_on(conversation: Conversation, watch: Watch, now: float) -> None:
    """Firing the timer when it is due leads somewhere: a shell that sleeps until the next one never spins."""
    for _ in range(12):
        due = conversation.next_timeout()
        if due is None or due > now:
            return
        watch.see(conversation.receive(ev.TimePassed(), now))
    raise AssertionError(conversation.next_timeout(), now)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(spec=SPECS, steps=STEPS, opening=st.booleans(), detects_turns=st.booleans(), tiers=st.integers(1, 2))
def test_whatever_happens_the_engine_keeps_its_promises(
    spec: AgentSpec, steps: list[tuple[ev.Event, float]], opening: bool, detects_turns: bool, tiers: int
) -> None:
    conversation = Conversation(spec, fallback_lines=LINES, llm_tiers=tiers, tts_tiers=tiers)
    watch = Watch()
    now = 5.0
    watch.see(conversation.receive(ev.CallStarted(opening, detects_turns), now))
    for event, pause in steps:
        now += pause
        watch.see(conversation.receive(event, now))
        assert conversation.state is watch.state
        assert_time_goes_on(conversation, watch, now)
        assert_tools_are_answered(conversation.messages)
    watch.see(conversation.receive(ev.Disconnected(), now))
    watch.see(conversation.receive(ev.TimePassed(), now + 1.0))
    assert watch.finished
    assert conversation.next_timeout() is None
    assert [turn.index for turn in conversation.turns] == list(range(watch.turns))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS)
def test_a_call_left_alone_comes_to_its_end_by_itself(steps: list[tuple[ev.Event, float]]) -> None:
    conversation = Conversation(agent(max_duration_seconds=600), fallback_lines=LINES)
    now = 5.0
    conversation.receive(ev.CallStarted(), now)
    for event, pause in steps:
        now += pause
        conversation.receive(event, now)
    for _ in range(500):
        due = conversation.next_timeout()
        if due is None:
            break
        now = max(now, due)
        conversation.receive(ev.TimePassed(), now)
    assert conversation.state is ConversationState.ENDED
    assert all(turn.speaker in Speaker for turn in conversation.turns)


QUIET = st.builds(ev.AudioHeard, st.floats(0, 60_000), st.just(0.0), st.just(0.0))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    spec=SPECS,
    steps=st.lists(st.tuples(EVENTS | QUIET | QUIET, st.sampled_from([0.0, 0.02, 0.3, 1.0])), max_size=60),
    detects_turns=st.booleans(),
)
def test_audio_in_which_nothing_is_said_may_be_passed_by_without_another_end(
    spec: AgentSpec, steps: list[tuple[ev.Event, float]], detects_turns: bool
) -> None:
    short, long = Conversation(spec, fallback_lines=LINES), Conversation(spec, fallback_lines=LINES)
    setattr(long._ear, "pass_by", lambda *_: False)  # noqa: B010 (the way that every other event goes)
    now = 5.0
    for event, pause in [(ev.CallStarted(detects_turns=detects_turns), 0.0), *steps]:
        now += pause
        assert short.receive(event, now) == long.receive(event, now)
        assert (short.state, short.next_timeout()) == (long.state, long.next_timeout())
