"""What becomes of the caller's audio before and in a call."""

import asyncio

from calls.engine.events import InputEnded
from tests.calls.consumers.driver import CHUNK, Client, Workshop, ack, error, hold, kinds, started


def test_chunks_are_heard_and_not_acknowledged() -> None:
    workshop = Workshop()

    async def scenario(client: Client) -> None:
        await started(client)
        client.say("audio.input.chunk", {"audio": CHUNK, "timestamp": 1.0})
        client.say("audio.input.chunk", {"audio": CHUNK, "isMuted": False})
        assert await client.settle() == []

    hold(workshop, scenario)
    assert workshop.runner.heard == [CHUNK, CHUNK]


def test_muted_chunks_count_as_silence() -> None:
    workshop = Workshop()

    async def scenario(client: Client) -> None:
        await started(client)
        client.say("audio.input.chunk", {"audio": CHUNK, "isMuted": True})
        muted = client.say("user.action.mute")
        client.say("audio.input.chunk", {"audio": CHUNK})
        unmuted = client.say("user.action.unmute")
        client.say("audio.input.chunk", {"audio": CHUNK})
        assert await client.settle() == [
            ack("user.action.mute", muted, client.session_id),
            ack("user.action.unmute", unmuted, client.session_id),
        ]

    hold(workshop, scenario)
    assert workshop.runner.heard == [bytes(len(CHUNK)), bytes(len(CHUNK)), CHUNK]


def test_chunks_before_the_start_and_while_its_ack_is_pending_are_kept_in_order() -> None:
    workshop = Workshop(delay=0.2)

    async def scenario(client: Client) -> None:
        client.say("audio.input.chunk", {"audio": b"\1\1"})
        client.say("audio.input.start")
        client.say("audio.input.chunk", {"audio": b"\2\2"})
        client.say("audio.input.end")
        client.say("audio.input.chunk", {"audio": b"\3\3"})
        await asyncio.sleep(1)

    client = hold(workshop, scenario)
    assert workshop.runner.heard == [b"\1\1", b"\2\2", b"\3\3"]
    assert workshop.runner.told == [InputEnded()]
    assert kinds(client.events[2:]) == ["audio.input.end", "audio.input.start"]


def test_more_than_three_seconds_before_the_start_is_an_audio_error_once_and_the_newest_are_kept() -> None:
    workshop = Workshop()
    second = [bytes([number]) * 32_000 for number in range(1, 6)]

    async def scenario(client: Client) -> None:
        await client.settle()
        for audio in second:
            event_id = client.say("audio.input.chunk", {"audio": audio})
        assert kinds(await client.settle()) == ["error.system.audio"]
        assert error(client)[:3] == ("error.system.audio", "AUDIO_ERROR", "audio.input.chunk")
        assert event_id == "e5"
        await started(client)

    hold(workshop, scenario)
    assert workshop.runner.heard == second[2:]


def test_a_start_at_a_lower_rate_keeps_three_seconds_of_it() -> None:
    workshop = Workshop()

    async def scenario(client: Client) -> None:
        for number in range(1, 4):
            client.say("audio.input.chunk", {"audio": bytes([number]) * 32_000})
        await started(client, samplingRate=8000)

    hold(workshop, scenario)
    assert workshop.runner.heard == [b"\2" * 16_000, b"\3" * 32_000]


def test_an_odd_number_of_bytes_is_an_audio_error() -> None:
    workshop = Workshop()

    async def scenario(client: Client) -> None:
        await started(client, "voicechat.audio.start")
        event_id = client.say("voicechat.audio.chunk", {"audio": b"123"})
        await client.settle()
        assert error(client) == ("voicechat.audio.error", "AUDIO_ERROR", "voicechat.audio.chunk", event_id)
        assert client.events[-1]["payload"]["errorType"] == "audio"

    hold(workshop, scenario)
    assert workshop.runner.heard == []
