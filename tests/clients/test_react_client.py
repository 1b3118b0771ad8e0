"""The React client of the protocol's page, speaking through its own MessagePack library to a real server."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.calls.consumers.site import Site, served
from tests.conftest import need

HERE = Path(__file__).resolve().parent
JITTER_MS = 120
"""What a busy machine may delay a chunk on its way."""


async def converse(node: str, site: Site) -> dict[str, Any]:
    """Run the client's conversation and give its report."""
    has_socket = await _run(node, "-p", "typeof WebSocket")
    flags = [] if has_socket == "function" else ["--experimental-websocket"]
    output = await _run(node, *flags, str(HERE / "conversation.mjs"), site.url)
    report: dict[str, Any] = json.loads(output.splitlines()[-1])
    return report


async def _run(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(120):
        output, _ = await process.communicate()
    return output.decode().strip()


@pytest.fixture(scope="module")
def report(node: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    need(
        "msgpackr, the React client's library",
        is_there=(HERE / "node_modules" / "msgpackr").is_dir(),
        remedy="make setup-dev",
    )
    with served(tmp_path_factory.mktemp("site"), DEBUG="1") as site:
        report = asyncio.run(converse(node, site))
        report["turns"] = site.rows(
            "SELECT speaker, text, interrupted FROM calls_turn t JOIN calls_callsession s ON s.id = t.session_id"
            " ORDER BY s.started_at, t.'index'"
        )
        report["ends"] = site.rows("SELECT end_reason FROM calls_callsession ORDER BY started_at")
        report["log"] = site.log
    return report


def test_the_conversation_came_to_its_end(report: dict[str, Any]) -> None:
    assert "failure" not in report["steps"], (report["steps"], report["events"][-20:], report["log"][-3000:])
    assert (report["errors"], report["textFrames"], report["unsettled"]) == ([], [], [])


def test_every_request_was_acknowledged_at_once(report: dict[str, Any]) -> None:
    assert set(report["steps"]) == {"startMs", "endMs", "secondStartMs", "endCallMs"}
    assert max(report["steps"].values()) < 500


def test_no_number_came_as_a_bigint(report: dict[str, Any]) -> None:
    assert report["bigInts"] == []


def test_the_client_stayed_away_only_after_1000(report: dict[str, Any]) -> None:
    assert (report["connections"], report["closes"]) == (2, [4000, 1000])


def test_what_was_said_is_shown_once_and_finally(report: dict[str, Any]) -> None:
    finals = [transcript["text"] for transcript in report["transcripts"] if transcript["isFinal"]]
    assert finals == ["who are you", "what does it cost", "who are you", "what does it cost", "who are you"]
    assert len({transcript["id"] for transcript in report["transcripts"]}) == len(report["transcripts"]) == 5


def test_only_the_barge_in_cut_what_was_playing(report: dict[str, Any]) -> None:
    # The client plays a moment later than the server's clock thinks: so much of a reply's end may be lost.
    (cut,) = [cut for cut in report["cuts"] if cut["lostMs"] > JITTER_MS]
    assert cut["cause"] == "voicechat.response.interrupt"
    assert cut["lostMs"] > 300
    assert report["audioAfterCancel"] == 0


def test_the_audio_came_without_gaps(report: dict[str, Any]) -> None:
    assert [gap for gap in report["gaps"] if gap > JITTER_MS] == []


def test_the_replies_are_shown_as_they_were_generated(report: dict[str, Any]) -> None:
    assert report["replies"][0] == "Hello, this is Ada."
    assert report["replies"][-1] == "Goodbye."
    assert report["replies"].count("Hello, this is Ada.") == 1


def test_both_connections_are_stored_as_calls(report: dict[str, Any]) -> None:
    callers = [text for speaker, text, _ in report["turns"] if speaker == "caller"]
    assert callers == ["who are you", "what does it cost", "who are you", "what does it cost", "who are you"]
    assert [text for speaker, text, cut in report["turns"] if speaker == "agent" and not cut][-1] == "Goodbye."
    assert sum(interrupted for _, _, interrupted in report["turns"]) == 1
    assert report["ends"] == [("caller_disconnected",), ("caller_ended",)]
