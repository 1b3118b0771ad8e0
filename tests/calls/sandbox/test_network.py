from collections.abc import AsyncIterator
from pathlib import Path
from typing import Self

import pytest
from aiohttp import web
from twilio.request_validator import RequestValidator

from calls.sandbox import network as module
from calls.sandbox.ledger import Form
from calls.sandbox.network import Network
from calls.sandbox.performance import Reply
from tests.calls.sandbox.world import ORDER
from tests.processes import free_port

TOKEN = "a token"
RINGING, INVALID = "+15005550113", "+15005550115"


@pytest.fixture
async def network(tmp_path: Path) -> AsyncIterator[Network]:
    made = Network(token=TOKEN, folder=tmp_path)
    yield made
    await made.aclose()


class WebProcess:
    """A server that keeps what it is told and closes every stream with a word."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, str], str]] = []
        self.signature = ""
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.add_routes([web.post("/told", self._take), web.get("/media", self._stream)])
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.told.append((str(request.rel_url), form, request.headers.get("X-Twilio-Signature", "")))
        return web.Response(text="thanks", status=202)

    async def _stream(self, request: web.Request) -> web.WebSocketResponse:
        self.signature = request.headers.get("X-Twilio-Signature", "")
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        await socket.send_str(f"echo {(await socket.receive()).data}")
        await socket.close()
        return socket


async def test_forms_and_streams_are_signed_with_the_accounts_token(network: Network) -> None:
    async with WebProcess() as server:
        fields = {"CallSid": "CA1", "Digits": "ä 9&"}
        assert await network.post(Form(f"{server.url}/told?key=k", fields)) == Reply(202, "thanks")
        [(place, form, signature)] = server.told
        assert (place, form) == ("/told?key=k", fields)
        assert RequestValidator(TOKEN).validate(f"{server.url}/told?key=k", fields, signature)
        media = f"ws://127.0.0.1:{server.port}/media"
        socket = await network.connect(media)
        await socket.send("hello")
        assert [text async for text in socket.texts()] == ["echo hello"]
        assert server.signature == RequestValidator(TOKEN).compute_signature(media, {})
        await socket.close()
        with pytest.raises(ConnectionError):
            await socket.send("anybody?")


async def test_a_web_process_that_is_away_gives_no_reply(network: Network) -> None:
    port = free_port()
    assert await network.post(Form(f"http://127.0.0.1:{port}/told", {})) == Reply(0)
    with pytest.raises(ConnectionError):
        await network.connect(f"ws://127.0.0.1:{port}/media")


async def test_only_numbers_of_the_range_are_reached_and_each_call_meets_the_next_wording(network: Network) -> None:
    assert [network.reach(number) for number in ("+442079460000", "+15005550042", "+150055501011")] == [None] * 3
    met = [network.reach("+15005550102") for _ in range(3)]
    assert len({casting.lines for casting in met if casting}) == 3


async def test_calls_are_placed_listed_and_found(network: Network) -> None:
    call = network.place({**ORDER, "To": RINGING, "StatusCallback": ""})
    assert call is not None
    assert network.place({**ORDER, "To": INVALID}) is None
    assert network.listing(to=RINGING, sender=ORDER["From"]) == [call]
    assert (network.listing(to=RINGING, sender=RINGING), network.find(call.sid)) == ([], call)
    playing = network.playing(call.sid)
    assert playing is not None
    assert playing.call is call
    await network.aclose()
    assert network.playing(call.sid) is None


async def test_the_oldest_call_that_is_over_is_forgotten(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_REMEMBERED", 2)
    calls = [network.place({**ORDER, "To": RINGING, "StatusCallback": ""}) for _ in range(2)]
    assert calls[1] is not None
    calls[1].advance("canceled")
    calls.append(network.place({**ORDER, "To": RINGING, "StatusCallback": ""}))
    assert [call is not None and network.find(call.sid) is call for call in calls] == [True, False, True]
