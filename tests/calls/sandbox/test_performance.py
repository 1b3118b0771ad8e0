"""Whole calls of the sandbox on a virtual clock."""

import asyncio
import json
from collections.abc import Callable

import pytest

from calls.runner.simulation import run_virtually
from calls.sandbox.catalogue import CATALOGUE, Listing
from calls.sandbox.performance import Performance, Reply
from calls.sandbox.personas import cast
from calls.sandbox.personas.cast import Outcome
from calls.sandbox.personas.wordings import WORDINGS
from tests.calls.consumers.phone_driver import hum
from tests.calls.sandbox.world import FakeSocket, FakeWorld

STREAM = (
    "<Connect><Stream url='ws://us/media' statusCallback='http://us/stream'><Parameter name='token' value='t'/>"
    "</Stream></Connect><Redirect>http://us/next</Redirect>"
)
HANG_UP = "<Hangup/>"
INTERESTED, BUSY_PERSON, SILENT = "+15005550101", "+15005550102", "+15005550109"


def perform(
    world: FakeWorld,
    number: str = INTERESTED,
    act: Callable[[Performance], object] | None = None,
    at: float = 10.0,
    **order: str,
) -> tuple[Performance, float]:
    """Play a call to its end, and ``act`` on it at a second; give it, and how long it took."""

    async def play() -> tuple[Performance, float]:
        loop = asyncio.get_running_loop()
        performance = world.play(number, **order)
        if act is not None:
            loop.call_later(at, act, performance)
        await performance.run()
        return performance, loop.time()

    return run_virtually(play())


def test_a_call_is_dialled_rings_is_answered_and_ends_in_order() -> None:
    world = FakeWorld({"http://us/answer": HANG_UP})
    perform(world)
    assert world.statuses == ["initiated", "ringing", "in-progress", "completed"]
    assert world.told("http://us/status", "SequenceNumber") == ["0", "1", "2", "3"]
    assert world.told("http://us/status", "CallDuration") == ["", "", "", "1"]
    assert world.told("http://us/answer", "CallStatus") == ["in-progress"]


@pytest.mark.parametrize(
    ("number", "statuses", "seconds"),
    [
        ("+15005550113", ["initiated", "ringing", "no-answer"], 25),
        ("+15005550114", ["initiated", "busy"], 1),
    ],
)
def test_nobody_answers_a_line_that_is_busy_or_rings_in_vain(number: str, statuses: list[str], seconds: float) -> None:
    world = FakeWorld({})
    assert round(perform(world, number)[1]) == seconds
    assert world.statuses == statuses


def test_ringing_can_be_ended_and_is_then_canceled() -> None:
    world = FakeWorld({})
    assert perform(world, "+15005550113", Performance.end, at=4)[1] == 4
    assert world.statuses == ["initiated", "ringing", "canceled"]


def test_a_stream_carries_the_persons_voice_and_the_agents() -> None:
    world = FakeWorld({"http://us/answer": STREAM, "http://us/next": HANG_UP})

    def talk(socket: FakeSocket) -> None:
        loop = asyncio.get_running_loop()
        for turn in range(9):
            loop.call_later(3 + 8 * turn, socket.say, hum(1500))
        loop.call_later(80, socket.close_it)

    world.on_connect = talk
    performance, seconds = perform(world)
    (socket,) = world.sockets
    assert socket.events()[:3] == ["connected", "start", "media"]
    assert socket.received[1]["start"]["customParameters"] == {"token": "t"}
    assert performance.person is not None
    assert len(performance.person.said) >= 5
    media = [message["media"] for message in socket.received if message["event"] == "media"]
    assert [int(frame["timestamp"]) for frame in media] == list(range(0, 20 * len(media), 20))
    assert len(media) * 0.02 == pytest.approx(seconds - performance._casting.ring_seconds, abs=0.5)
    assert world.told("http://us/stream", "StreamEvent") == ["stream-started", "stream-stopped"]
    assert world.told("http://us/amd", "AnsweredBy") == ["human"]


@pytest.mark.parametrize("listing", CATALOGUE, ids=lambda listing: listing.kind)
def test_what_a_persona_says_is_on_no_wire_but_as_audio(listing: Listing) -> None:
    """The words of all wordings are looked for in everything that leaves this process."""
    world = FakeWorld({"http://us/answer": STREAM, "http://us/next": HANG_UP})

    def talk(socket: FakeSocket) -> None:
        for turn in range(20):
            asyncio.get_running_loop().call_later(3 + 9 * turn, socket.say, hum(1500))

    world.on_connect = talk
    if cast(listing.number, 0).outcome is not Outcome.REFUSED:
        perform(world, listing.number)
    sent = json.dumps([[form for _, form in world.posted], [socket.received for socket in world.sockets]]).lower()
    lines = {line for wordings in WORDINGS.values() for wording in wordings for line in wording if " " in line}
    assert [line for line in lines if line in sent] == []
    events = {event for socket in world.sockets for event in socket.events()}
    assert events <= {"connected", "start", "media", "dtmf", "stop"}
    assert {
        tuple(message["media"]) for socket in world.sockets for message in socket.received if "media" in message
    } <= {("track", "chunk", "timestamp", "payload")}


def test_when_the_server_closes_the_stream_the_next_verb_follows() -> None:
    world = FakeWorld({"http://us/answer": STREAM, "http://us/next": HANG_UP})
    world.on_connect = FakeSocket.close_it
    perform(world)
    assert world.told("http://us/next", "CallStatus") == ["in-progress"]
    assert world.statuses[-1] == "completed"


def test_a_person_who_hangs_up_ends_the_stream_with_a_stop_and_nothing_more_is_asked() -> None:
    world = FakeWorld({"http://us/answer": STREAM, "http://us/next": HANG_UP})
    assert perform(world, BUSY_PERSON)[1] < 60
    assert world.sockets[0].events()[-1] == "stop"
    assert world.told("http://us/next", "CallStatus") == []
    assert world.statuses[-1] == "completed"


@pytest.mark.parametrize("text", ["{", '{"event": "clear", "streamSid": "another"}'])
def test_a_stream_that_speaks_no_twilio_is_broken_off(text: str) -> None:
    world = FakeWorld({"http://us/answer": STREAM, "http://us/next": HANG_UP})
    world.on_connect = lambda socket: socket.write(text)
    assert perform(world)[1] < 5
    assert world.told("http://us/next", "CallStatus") == ["in-progress"]


def test_a_stream_that_cannot_be_opened_is_told_and_the_next_verb_follows() -> None:
    world = FakeWorld({"http://us/answer": STREAM, "http://us/next": HANG_UP})
    world.connect_failure = ConnectionRefusedError("no")
    perform(world)
    assert world.told("http://us/stream", "StreamEvent") == ["stream-error"]
    assert world.told("http://us/next", "CallStatus") == ["in-progress"]


def test_a_hang_up_by_the_api_ends_the_leg_at_once() -> None:
    world = FakeWorld({"http://us/answer": STREAM})
    performance, seconds = perform(world, SILENT, Performance.end, at=20)
    assert seconds < 20.1
    assert world.sockets[0].events()[-1] == "stop"
    assert (world.statuses[-1], performance.call.duration) == (
        "completed",
        str(round(20 - performance._casting.ring_seconds)),
    )


def test_an_update_stops_what_the_call_does_and_asks_the_new_address() -> None:
    world = FakeWorld({"http://us/answer": STREAM, "http://us/other": "<Say>bye</Say><Hangup/>"})
    perform(world, SILENT, lambda performance: performance.redirect("http://us/other"))
    assert world.sockets[0].events()[-1] == "stop"
    assert world.told("http://us/other", "CallStatus") == ["in-progress"]
    assert world.told("http://us/next", "CallStatus") == []


def test_the_time_limit_ends_a_call() -> None:
    world = FakeWorld({"http://us/answer": STREAM})
    performance, seconds = perform(world, SILENT, TimeLimit="30")
    assert seconds == pytest.approx(30 + performance._casting.ring_seconds, abs=0.1)


def test_an_answer_that_does_not_come_is_asked_for_once_more_and_then_the_call_ends() -> None:
    world = FakeWorld({"http://us/answer": [Reply(0), Reply(200, "<Response><Pause length='5'/></Response>")]})
    assert 5 < perform(world)[1] < 10
    failing = FakeWorld({"http://us/answer": [Reply(500), Reply(500)]})
    assert perform(failing)[1] < 6
    assert (len(failing.told("http://us/answer", "CallStatus")), failing.statuses[-1]) == (2, "completed")
    senseless = FakeWorld({"http://us/answer": "<Dance/>"})
    perform(senseless)
    assert (len(senseless.told("http://us/answer", "CallStatus")), senseless.statuses[-1]) == (1, "completed")


def test_a_callback_that_is_lost_is_sent_once_more_and_keeps_its_place() -> None:
    answers = [Reply(204), Reply(0), Reply(204), Reply(204), Reply(204)]
    world = FakeWorld({"http://us/answer": HANG_UP, "http://us/status": answers})
    perform(world)
    assert world.statuses == ["initiated", "ringing", "ringing", "in-progress", "completed"]


def test_somebody_who_presses_no_key_goes_past_the_gathering() -> None:
    gather = "<Gather numDigits='1' timeout='3' action='http://us/key'><Say>press it</Say></Gather>"
    world = FakeWorld({"http://us/answer": gather + HANG_UP})
    performance, seconds = perform(world, SILENT)
    assert 3 < seconds - performance._casting.ring_seconds < 4.5
    assert world.told("http://us/key", "Digits") == []


def test_a_key_is_gathered() -> None:
    colleague = "+15005550116"
    gather = "<Gather numDigits='1' timeout='60' action='http://us/key'><Say>one two three four five six</Say></Gather>"
    world = FakeWorld({"http://us/answer": gather, "http://us/key": HANG_UP})
    perform(world, colleague)
    assert world.told("http://us/key", "Digits") == ["1"]


@pytest.mark.parametrize(
    ("number", "status"),
    [
        ("+15005550101", "completed"),
        ("+15005550113", "no-answer"),
        ("+15005550114", "busy"),
        ("+15005550115", "failed"),
        ("+442079460000", "failed"),
    ],
)
def test_another_number_is_dialled_and_its_end_is_told(number: str, status: str) -> None:
    dial = f"<Dial action='http://us/dialled' timeout='20'><Number>{number}</Number></Dial>"
    world = FakeWorld({"http://us/answer": dial, "http://us/dialled": HANG_UP})
    perform(world, SILENT)
    assert world.told("http://us/dialled", "DialCallStatus") == [status]
    assert world.statuses[-1] == "completed"


def test_two_calls_meet_in_a_conference_that_ends_with_the_one_who_ends_it() -> None:
    join = "<Dial action='http://us/after'><Conference endConferenceOnExit='true'>room</Conference></Dial>"
    world = FakeWorld({"http://us/answer": join, "http://us/after": HANG_UP})

    async def play() -> tuple[Performance, Performance]:
        person, quiet = world.play("+15005550101"), world.play(SILENT)
        await asyncio.gather(person.run(), quiet.run())
        return person, quiet

    person, quiet = run_virtually(play())
    assert person.person is not None
    assert quiet.person is not None
    assert person.person.is_gone
    assert not quiet.person.is_gone
    assert world.told("http://us/after", "CallSid") == [quiet.call.sid]


@pytest.mark.parametrize(("seconds", "status"), [(20, "completed"), (0.5, "failed")])
def test_a_call_that_is_broken_off_with_its_process_was_held_if_it_was_answered(seconds: float, status: str) -> None:
    world = FakeWorld({"http://us/answer": STREAM})

    async def play() -> None:
        running = asyncio.create_task(world.play(SILENT).run())
        await asyncio.sleep(seconds)
        running.cancel()
        await asyncio.wait({running})

    run_virtually(play())
    assert world.statuses[-1] == status
