"""Whole calls through the door: the real runner and engine, providers under the test's control, virtual time."""

import asyncio
from pathlib import Path
from uuid import UUID

from calls.enums import EndReason, Speaker
from tests.calls.consumers.driver import Client, hold, kinds
from tests.calls.consumers.talk import (
    LOUD,
    OPENING,
    QUIET,
    model,
    of,
    open_call,
    speak,
    until_state,
    words,
    workshop,
)

# --- what is spoken ---------------------------------------------------------------------------------------------------


def test_the_opening_comes_as_one_utterance_in_its_order_and_at_its_pace(tmp_path: Path) -> None:
    async def scenario(client: Client) -> None:
        await open_call(client)

    made = workshop(tmp_path)
    client = hold(made, scenario)
    chunks = of(client, "voicechat.response.chunk")
    told = [kind for kind in kinds(client.events[2:]) if kind not in {"voicechat.state", "voicechat.response.token"}]
    assert told == [
        "voicechat.audio.start",
        "voicechat.response.start",
        *["voicechat.response.chunk"] * len(chunks),
        "voicechat.response.complete",
    ]
    (utterance_id,) = {chunk["utteranceId"] for chunk in chunks}
    assert UUID(utterance_id).version == 7
    assert of(client, "voicechat.response.start")[0]["utteranceId"] == utterance_id
    assert "".join(token["token"] for token in of(client, "voicechat.response.token")) == OPENING
    assert of(client, "voicechat.response.complete") == [{"utteranceId": utterance_id, "text": OPENING, "metrics": {}}]
    sizes = [len(chunk["audio"]) // 32 for chunk in chunks]
    assert sum(sizes) == len(OPENING) * 60
    assert sizes[0] <= 100
    assert all(200 <= size <= 400 for size in sizes[1:-1])
    assert {chunk["sampleRate"] for chunk in chunks} == {16_000}
    assert words(made) == [(Speaker.AGENT, OPENING, False)]


def test_audio_comes_at_the_rate_asked_for_and_at_most_two_seconds_ahead(tmp_path: Path) -> None:
    async def scenario(client: Client) -> None:
        await open_call(client, samplingRate=8000, outputSampleRate=24_000)

    client = hold(workshop(tmp_path), scenario)
    came = [
        (at, len(event["payload"]["audio"]) / 48_000)
        for at, event in zip(client.times, client.events, strict=True)
        if event["eventType"] == "voicechat.response.chunk"
    ]
    assert {chunk["sampleRate"] for chunk in of(client, "voicechat.response.chunk")} == {24_000}
    assert (
        max(sum(length for _, length in came[: index + 1]) - (at - came[0][0]) for index, (at, _) in enumerate(came))
        <= 2.001
    )


def test_a_spoken_turn_is_shown_answered_and_measured(tmp_path: Path) -> None:
    async def scenario(client: Client) -> None:
        await open_call(client)
        await speak(client, loud=4, quiet=8)
        await until_state(client, "LISTENING")

    made = workshop(tmp_path, model("It is Ada."))
    client = hold(made, scenario)
    finals, interims = of(client, "voicechat.transcript.final"), of(client, "voicechat.transcript.interim")
    assert [(final["text"], final["confidence"]) for final in finals] == [("who is this", 1.0)]
    assert finals[0]["duration"] > 0
    assert interims
    assert {shown["utteranceId"] for shown in interims} == {finals[0]["utteranceId"]}
    replies = of(client, "voicechat.response.start")
    assert len({reply["utteranceId"] for reply in replies}) == 2
    assert finals[0]["utteranceId"] not in {reply["utteranceId"] for reply in replies}
    (metrics,) = of(client, "voicechat.metrics")
    assert set(metrics) == {"endpointing", "stt", "llm", "tts", "total"}
    assert of(client, "voicechat.response.complete")[1] == {
        "utteranceId": replies[1]["utteranceId"],
        "text": "It is Ada.",
        "metrics": metrics,
    }
    assert words(made)[1:] == [(Speaker.CALLER, "who is this", False), (Speaker.AGENT, "It is Ada.", False)]


def test_a_response_starts_only_when_the_one_before_was_played(tmp_path: Path) -> None:
    async def scenario(client: Client) -> None:
        await open_call(client)
        for text in ("one", "two"):
            client.say("user.text", {"text": text})
            await until_state(client, "LISTENING")

    client = hold(workshop(tmp_path, model("The first answer.", "The second.")), scenario)
    playing_until = 0.0
    for at, event in zip(client.times, client.events, strict=True):
        if event["eventType"] == "voicechat.response.start":
            assert at >= playing_until - 1e-6
        elif event["eventType"] == "voicechat.response.chunk":
            playing_until = max(playing_until, at) + len(event["payload"]["audio"]) / 32_000


def test_a_barge_in_stops_the_reply_for_good_and_leaves_60_ms(tmp_path: Path) -> None:
    async def scenario(client: Client) -> None:
        client.say("voicechat.audio.start")
        await until_state(client, "RESPONDING")
        await speak(client, quiet=4)
        await speak(client, loud=4, quiet=8)
        await until_state(client, "THINKING")
        await until_state(client, "LISTENING")

    made = workshop(tmp_path, model("It is Ada."))
    client = hold(made, scenario)
    (cancel,) = of(client, "voicechat.response.interrupt")
    assert set(cancel) == {"utteranceId", "timestamp", "reason", "heardText"}
    assert (cancel["reason"], OPENING.startswith(cancel["heardText"])) == ("barge_in", True)
    at = kinds(client.events).index("voicechat.response.interrupt")
    after = [event["payload"].get("utteranceId") for event in client.events[at + 1 :]]
    assert cancel["utteranceId"] not in after
    following = next(
        when
        for when, event in zip(client.times[at:], client.events[at:], strict=True)
        if event["eventType"] == "voicechat.response.chunk"
    )
    assert following - client.times[at] >= 0.06
    assert words(made) == [
        (Speaker.AGENT, cancel["heardText"], True),
        (Speaker.CALLER, "who is this", False),
        (Speaker.AGENT, "It is Ada.", False),
    ]


def test_an_interruption_by_the_button_is_a_stop(tmp_path: Path) -> None:
    async def scenario(client: Client) -> None:
        client.say("voicechat.audio.start")
        await until_state(client, "RESPONDING")
        await asyncio.sleep(1)
        client.say("user.action.interrupt")
        await client.until("voicechat.response.stop")
        assert client.events[-1]["eventType"] == "voicechat.state"

    client = hold(workshop(tmp_path), scenario)
    assert [stop["reason"] for stop in of(client, "voicechat.response.stop")] == ["requested"]


def test_what_the_client_has_played_overrides_the_playback_clock(tmp_path: Path) -> None:
    async def scenario(client: Client) -> None:
        client.say("audio.input.start")
        start = await client.until("conversation.response.start")
        await asyncio.sleep(3)
        client.say("audio.output.played", {"utteranceId": start["payload"]["utteranceId"], "playedMs": 400})
        client.say("user.action.interrupt")
        await client.until("audio.output.cancel")

    client = hold(workshop(tmp_path), scenario)
    assert of(client, "audio.output.cancel")[0]["heardText"] == "Hello,"


# --- start and end ----------------------------------------------------------------------------------------------------


def test_the_end_of_the_input_is_answered_and_the_same_words_never_twice(tmp_path: Path) -> None:
    async def scenario(client: Client) -> None:
        await open_call(client)
        await speak(client, loud=4, quiet=1)
        client.say("voicechat.audio.end")
        client.say("voicechat.audio.end")
        await until_state(client, "LISTENING")
        client.say("voicechat.audio.end")
        await asyncio.sleep(10)

    made = workshop(tmp_path, model("It is Ada.", "Again?"))
    hold(made, scenario)
    assert words(made)[1:] == [(Speaker.CALLER, "who is this", False), (Speaker.AGENT, "It is Ada.", False)]


def test_an_end_with_nothing_said_is_not_answered(tmp_path: Path) -> None:
    async def scenario(client: Client) -> None:
        await open_call(client)
        await speak(client, quiet=4)
        client.say("voicechat.audio.end")
        await asyncio.sleep(10)

    made = workshop(tmp_path)
    hold(made, scenario)
    assert words(made) == [(Speaker.AGENT, OPENING, False)]


def test_an_end_directly_followed_by_a_close_stores_the_turn_and_makes_no_reply(tmp_path: Path) -> None:
    async def scenario(client: Client) -> None:
        await open_call(client)
        await speak(client, loud=4)
        client.say("voicechat.audio.end")
        client.leave()
        await client.closed()

    made = workshop(tmp_path, model("never heard"))
    hold(made, scenario)
    turns = words(made)[1:]
    assert [speaker for speaker, _, _ in turns] == [Speaker.CALLER]
    assert "who is this".startswith(turns[0][1])
    assert made.sink.reason is EndReason.CALLER_DISCONNECTED


def test_a_second_start_keeps_the_history_and_takes_another_rate(tmp_path: Path) -> None:
    async def scenario(client: Client) -> None:
        await open_call(client)
        await speak(client, loud=4, quiet=1)
        client.say("voicechat.audio.end")
        await until_state(client, "LISTENING")
        client.say("voicechat.audio.start", {"samplingRate": 8000})
        for audio in [LOUD] * 3 + [QUIET] * 4:
            await asyncio.sleep(0.512)
            client.say("voicechat.audio.chunk", {"audio": audio})
        await until_state(client, "LISTENING")

    answers = model("It is Ada.", "About solar panels.")
    made = workshop(tmp_path, answers, hears=("who is this", "what about"))
    client = hold(made, scenario)
    assert [text for _, text, _ in words(made)] == [
        OPENING,
        "who is this",
        "It is Ada.",
        "what about",
        "About solar panels.",
    ]
    assert [message.content for message in answers.requests[-1].messages[1:]] == [
        text for _, text, _ in words(made)[:4]
    ]
    assert len(of(client, "voicechat.response.start")) == 3


def test_an_implicit_start_has_no_opening(tmp_path: Path) -> None:
    async def scenario(client: Client) -> None:
        for _ in range(4):
            client.say("voicechat.audio.chunk", {"audio": LOUD}, sessionId="old")
            await asyncio.sleep(0.256)
        await speak(client, quiet=8)
        await until_state(client, "LISTENING")
        await until_state(client, "LISTENING")

    made = workshop(tmp_path, model("It is Ada."))
    client = hold(made, scenario)
    assert words(made) == [(Speaker.CALLER, "who is this", False), (Speaker.AGENT, "It is Ada.", False)]
    assert not [kind for kind in kinds(client.events) if "error" in kind]


def test_text_before_any_start_gets_the_opening_and_then_its_answer(tmp_path: Path) -> None:
    async def scenario(client: Client) -> None:
        client.say("user.text", {"text": "Hello?"})
        for _ in range(2):
            await until_state(client, "LISTENING", "conversation.state.changed")

    made = workshop(tmp_path, model("Good day."))
    client = hold(made, scenario)
    assert words(made) == [
        (Speaker.AGENT, OPENING, False),
        (Speaker.CALLER, "Hello?", False),
        (Speaker.AGENT, "Good day.", False),
    ]
    assert of(client, "audio.output.cancel") == []


def test_chunks_that_came_before_the_ack_are_part_of_the_turn(tmp_path: Path) -> None:
    async def scenario(client: Client) -> None:
        await speak(client, loud=4, quiet=1)
        client.say("voicechat.audio.start")
        await speak(client, quiet=6)
        for _ in range(2):
            await until_state(client, "LISTENING")

    made = workshop(tmp_path, model("It is Ada."), opening="")
    hold(made, scenario)
    assert words(made) == [(Speaker.CALLER, "who is this", False), (Speaker.AGENT, "It is Ada.", False)]
