"""What is forgiven, what is asked of a call, and what is not forgiven."""

import asyncio

import pytest

from calls.engine.events import CallResumed, HangUpRequested, InputEnded, InterruptRequested, PlayedOut, TextTyped
from calls.enums import CancelReason, ConversationState, EndReason
from calls.errors import AgentError
from calls.wire.audio import AudioFormat
from tests.calls.consumers.driver import CHUNK, Client, Workshop, ack, error, hold, kinds, started

# --- after a reconnect ------------------------------------------------------------------------------------------------


def test_chunks_with_an_old_session_and_no_start_begin_a_call_at_16_khz_without_an_opening() -> None:
    workshop = Workshop()

    async def scenario(client: Client) -> None:
        await client.settle()
        for _ in range(3):
            client.say("voicechat.audio.chunk", {"audio": CHUNK}, sessionId="old")
        assert await client.settle() == []

    hold(workshop, scenario)
    assert workshop.runner.heard == [CHUNK] * 3
    options = workshop.runner.arguments["options"]
    assert (options.input, options.output, options.opening) == (
        AudioFormat(rate=16_000),
        AudioFormat(rate=16_000),
        False,
    )


def test_a_call_that_cannot_begin_by_itself_is_said_once_and_not_for_each_chunk() -> None:
    workshop = Workshop(failure=AgentError("no default agent"))

    async def scenario(client: Client) -> None:
        await client.settle()
        for _ in range(50):
            client.say("voicechat.audio.chunk", {"audio": CHUNK}, sessionId="old")
            await asyncio.sleep(0.256)
        assert kinds(await client.settle()) == ["voicechat.error"]

    hold(workshop, scenario)
    assert workshop.asked_for == [None]


def test_an_explicit_start_after_an_implicit_one_is_a_second_start() -> None:
    workshop = Workshop()

    async def scenario(client: Client) -> None:
        client.say("voicechat.audio.chunk", {"audio": CHUNK}, sessionId="old")
        await client.settle()
        await started(client, "voicechat.audio.start")

    hold(workshop, scenario)
    assert workshop.runner.told == [CallResumed()]


def test_a_wrong_session_id_does_not_matter_in_a_call() -> None:
    workshop = Workshop()

    async def scenario(client: Client) -> None:
        await started(client)
        client.say("audio.input.chunk", {"audio": CHUNK}, sessionId="somebody else's")
        await client.settle()

    hold(workshop, scenario)
    assert (len(workshop.runners), workshop.runner.heard) == (1, [CHUNK])


# --- end --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event_type", ["audio.input.end", "audio.input.stop", "voicechat.audio.end"])
def test_an_end_is_acknowledged_also_without_a_start_and_twice(event_type: str) -> None:
    workshop = Workshop()

    async def scenario(client: Client) -> None:
        await client.settle()
        ids = [client.say(event_type), client.say(event_type, {"reason": "again"})]
        assert await client.settle() == [ack(event_type, event_id, client.session_id) for event_id in ids]
        await started(client)
        ids = [client.say(event_type), client.say(event_type)]
        assert await client.settle() == [ack(event_type, event_id, client.session_id) for event_id in ids]

    hold(workshop, scenario)
    assert workshop.runner.told == [InputEnded(), InputEnded()]


# --- what a user does -------------------------------------------------------------------------------------------------


def test_an_interruption_is_acknowledged_and_passed_on() -> None:
    workshop = Workshop()

    async def scenario(client: Client) -> None:
        await client.settle()
        early = client.say("user.action.interrupt")
        assert await client.settle() == [ack("user.action.interrupt", early, client.session_id)]
        await started(client)
        event_id = client.say("user.action.interrupt")
        assert await client.settle() == [ack("user.action.interrupt", event_id, client.session_id)]

    hold(workshop, scenario)
    assert workshop.runner.told == [InterruptRequested()]


def test_end_call_is_acknowledged_and_closes_with_1000_after_the_goodbye() -> None:
    workshop = Workshop()

    async def scenario(client: Client) -> None:
        await started(client)
        event_id = client.say("user.action.end_call", {"reason": "enough"})
        assert await client.until("user.action.end_call") == ack("user.action.end_call", event_id, client.session_id)
        await client.closed()

    client = hold(workshop, scenario)
    assert workshop.runner.told == [HangUpRequested()]
    assert client.code == 1000


def test_end_call_without_a_call_closes_with_1000() -> None:
    async def scenario(client: Client) -> None:
        await client.settle()
        event_id = client.say("user.action.end_call")
        await client.closed()
        assert client.events[2:] == [ack("user.action.end_call", event_id, client.session_id)]

    assert hold(Workshop(), scenario).code == 1000


def test_end_call_while_the_call_starts_is_done_when_it_has_begun() -> None:
    workshop = Workshop(delay=0.2)

    async def scenario(client: Client) -> None:
        client.say("audio.input.start")
        client.say("user.action.end_call")
        await client.closed()

    assert hold(workshop, scenario).code == 1000
    assert workshop.runner.told == [HangUpRequested()]


def test_typed_text_is_acknowledged_and_passed_on() -> None:
    workshop = Workshop()

    async def scenario(client: Client) -> None:
        await started(client)
        event_id = client.say("user.text", {"text": "hello"})
        assert await client.settle() == [ack("user.text", event_id, client.session_id)]

    hold(workshop, scenario)
    assert workshop.runner.told == [TextTyped("hello")]


def test_text_before_any_start_is_one_and_is_answered_after_the_opening() -> None:
    workshop = Workshop()

    async def scenario(client: Client) -> None:
        event_id = client.say("user.text", {"text": "hello"})
        assert await client.until("user.text") == ack("user.text", event_id, client.session_id)
        await client.settle()
        client.say("user.text", {"text": "anybody?"})
        await client.settle()
        door = workshop.runner.arguments["door"]
        door.show_state(ConversationState.INITIALIZING, ConversationState.THINKING)
        door.show_state(ConversationState.THINKING, ConversationState.RESPONDING)
        assert workshop.runner.told == []
        door.show_state(ConversationState.RESPONDING, ConversationState.LISTENING)
        assert workshop.runner.told == [TextTyped("hello"), TextTyped("anybody?")]
        await started(client)

    hold(workshop, scenario)
    assert workshop.runner.arguments["options"].opening is True
    assert workshop.runner.told[2:] == [CallResumed()]


def test_the_family_stays_open_until_an_event_with_two_names_comes() -> None:
    async def scenario(client: Client) -> None:
        client.say("user.text", {"text": "hello"})
        await client.until("user.text")
        await client.settle()
        door = workshop.runner.arguments["door"]
        door.show_state(ConversationState.INITIALIZING, ConversationState.LISTENING)
        assert kinds(await client.settle()) == ["conversation.state.changed"]
        client.say("voicechat.audio.chunk", {"audio": CHUNK})
        await client.settle()
        door.show_state(ConversationState.LISTENING, ConversationState.THINKING)
        assert kinds(await client.settle()) == ["voicechat.state"]
        client.say("audio.input.chunk", {"audio": CHUNK})
        await client.settle()
        door.show_state(ConversationState.THINKING, ConversationState.LISTENING)
        assert kinds(await client.settle()) == ["voicechat.state"]

    workshop = Workshop()
    hold(workshop, scenario)


def test_what_was_really_played_is_passed_on_for_the_reply_that_is_meant() -> None:
    workshop = Workshop()

    async def scenario(client: Client) -> None:
        await started(client)
        door = workshop.runner.arguments["door"]
        door.start_reply(7)
        event = await client.until("conversation.response.start")
        client.say("audio.output.played", {"utteranceId": event["payload"]["utteranceId"], "playedMs": 120})
        client.say("audio.output.played", {"utteranceId": "never heard of", "playedMs": 120})
        assert await client.settle() == []

    hold(workshop, scenario)
    assert workshop.runner.told == [PlayedOut(7, 120.0)]


# --- errors -----------------------------------------------------------------------------------------------------------


def test_unreadable_frames_before_the_family_is_known_are_answered_as_error() -> None:
    async def scenario(client: Client) -> None:
        await client.settle()
        client.frame(b"\xc1")
        client.frame(text="{}")
        assert kinds(await client.settle()) == ["error", "error"]
        assert client.events[-1]["payload"] == {
            "message": "a text frame; expected a binary one with a MessagePack map",
            "code": "INVALID_PAYLOAD",
            "retryable": False,
            "errorType": "invalid_payload",
        }

    assert hold(Workshop(), scenario).code is None


def test_errors_echo_the_request_and_fix_its_family() -> None:
    async def scenario(client: Client) -> None:
        event_id = client.say("voicechat.audio.start", {"samplingRate": 5}, sessionId="mine")
        await client.settle()
        assert error(client) == ("voicechat.audio.error", "INVALID_PAYLOAD", "voicechat.audio.start", event_id)
        assert client.events[-1]["sessionId"] == "mine"
        client.frame(b"")
        await client.settle()
        assert error(client)[:3] == ("voicechat.error", "INVALID_PAYLOAD", "")

    hold(Workshop(), scenario)


def test_twenty_bad_frames_within_ten_seconds_close_with_1008() -> None:
    workshop = Workshop()

    async def scenario(client: Client) -> None:
        await started(client)
        for _ in range(20):
            assert client.code is None
            client.frame(b"\xc1")
            await asyncio.sleep(0.5)
        await client.closed()
        assert await workshop.runner.run() is EndReason.ABUSE

    client = hold(workshop, scenario)
    assert client.code == 1008
    assert kinds(client.events).count("error.system.invalid_payload") == 20


def test_bad_frames_now_and_then_are_only_answered() -> None:
    async def scenario(client: Client) -> None:
        for _ in range(60):
            client.frame(b"\xc1")
            await asyncio.sleep(0.53)
        assert client.code is None

    assert kinds(hold(Workshop(), scenario).events).count("error") == 60


def test_a_frame_above_one_mebibyte_closes_with_1009() -> None:
    async def scenario(client: Client) -> None:
        client.say("audio.input.chunk", {"audio": bytes(2**20 - 200)})
        await client.settle()
        assert client.code is None
        client.frame(bytes(2**20 + 1))
        await client.closed()

    assert hold(Workshop(), scenario).code == 1009


@pytest.mark.parametrize(("event_type", "payload"), [("audio.input.start", {}), ("user.text", {"text": "wait"})])
def test_a_call_that_is_ending_takes_nothing_new(event_type: str, payload: dict[str, str]) -> None:
    workshop = Workshop()

    async def scenario(client: Client) -> None:
        await started(client)
        workshop.runner.is_slow_to_end = True
        client.say("user.action.end_call")
        await client.until("user.action.end_call")
        event_id = client.say(event_type, payload)
        await client.settle()
        assert error(client) == ("error.system.session", "SESSION_ERROR", event_type, event_id)

    hold(workshop, scenario)


def test_a_bug_in_the_call_is_an_internal_error_and_1011(caplog: pytest.LogCaptureFixture) -> None:
    workshop = Workshop()

    async def scenario(client: Client) -> None:
        await started(client)
        workshop.runner.fail(ZeroDivisionError("a bug"))
        await client.closed()

    client = hold(workshop, scenario)
    assert (client.code, error(client)[:3]) == (1011, ("error.system.internal", "INTERNAL_ERROR", ""))
    assert "a call failed" in caplog.text


def test_a_bug_in_dealing_with_a_frame_is_an_internal_error_and_1011(caplog: pytest.LogCaptureFixture) -> None:
    workshop = Workshop()

    async def scenario(client: Client) -> None:
        await started(client)
        workshop.runner.failure = ZeroDivisionError("a bug")
        client.say("user.text", {"text": "x"})
        await client.closed()
        assert await workshop.runner.run() is EndReason.INTERNAL_ERROR

    client = hold(workshop, scenario)
    assert (client.code, error(client)[:2]) == (1011, ("error.system.internal", "INTERNAL_ERROR"))
    assert "a frame could not be dealt with" in caplog.text


def test_a_bug_while_the_call_starts_is_an_internal_error_and_1011(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(client: Client) -> None:
        client.say("audio.input.start")
        await client.closed()

    client = hold(Workshop(failure=ZeroDivisionError("a bug")), scenario)
    assert (client.code, error(client)[:2]) == (1011, ("error.system.internal", "INTERNAL_ERROR"))
    assert "a connection failed" in caplog.text


def test_too_many_events_while_the_call_starts_are_refused() -> None:
    workshop = Workshop(delay=0.3)

    async def scenario(client: Client) -> None:
        client.say("audio.input.start")
        for _ in range(101):
            client.say("user.action.interrupt")
        await asyncio.sleep(1)

    client = hold(workshop, scenario)
    assert len(workshop.runner.told) == 100
    assert kinds(client.events).count("error.system.invalid_payload") == 1


# --- a slow client ----------------------------------------------------------------------------------------------------


def test_audio_waits_for_a_slow_client_and_a_cancel_overtakes_it() -> None:
    workshop = Workshop()

    async def scenario(client: Client) -> None:
        await started(client)
        door = workshop.runner.arguments["door"]
        client.reads.clear()
        door.start_reply(1)
        await client.settle()
        for _ in range(3):
            await door.send_audio(1, CHUNK)
        waiting = asyncio.create_task(door.send_audio(1, CHUNK))
        await asyncio.sleep(1)
        assert not waiting.done()
        door.cancel_reply(1, CancelReason.BARGE_IN, "")
        client.reads.set()
        await waiting
        await door.send_audio(1, CHUNK)
        assert kinds(await client.settle()) == ["conversation.response.start", "audio.output.cancel"]

    hold(workshop, scenario)


def test_a_client_that_reads_nothing_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    workshop = Workshop()

    async def scenario(client: Client) -> None:
        await started(client)
        client.reads.clear()
        door = workshop.runner.arguments["door"]
        for _ in range(2100):
            door.show_token(1, "word ")
        await client.closed()
        assert await workshop.runner.run() is EndReason.CALLER_DISCONNECTED

    assert hold(workshop, scenario).code is None
    assert [record for record in caplog.records if record.levelname != "INFO"] == []
