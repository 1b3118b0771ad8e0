"""The carrier's side of ``calls.telephony.sandbox``: orders over loopback HTTP, in JSON, with a bearer token.

``POST /calls`` dials, ``GET /calls`` lists, ``GET /calls/{sid}`` tells, ``POST /calls/{sid}`` changes: ``{"status":
"completed"}`` hangs up, ``{"url": ...}`` has the call ask there what comes next. A refusal is ``{"code", "message"}``
with the code that Twilio has for it.
"""

import asyncio
import hmac
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from calls.sandbox.ledger import NO_SUCH_NUMBER, NOT_IN_PROGRESS, LedgerCall
from calls.sandbox.network import Network

log = logging.getLogger(__name__)

_NETWORK = web.AppKey("network", Network)
_UNKNOWN = 20404
_UNREADABLE = 21201
_UNAUTHORISED = 20003
_NEEDED = {"To", "From", "Url"}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(network: Network, token: str) -> web.Application:
    """Make the server of one network."""

    @web.middleware
    async def authorised(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode()):
            return _refusal(401, _UNAUTHORISED, "Authenticate")
        return await handler(request)

    app = web.Application(middlewares=[authorised])
    app[_NETWORK] = network
    app.add_routes(
        [
            web.post("/calls", _place),
            web.get("/calls", _list),
            web.get("/calls/{sid}", _tell),
            web.post("/calls/{sid}", _change),
        ]
    )
    return app


async def serve(network: Network, *, token: str, port: int, stop: asyncio.Event, ready: Callable[[int], None]) -> None:
    """Serve on 127.0.0.1 until stopped; ``ready`` is told the port. Raises ``OSError`` where it is taken."""
    runner = web.AppRunner(application(network, token), access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        ready(runner.addresses[0][1])
        await stop.wait()
    finally:
        await runner.cleanup()
        await network.aclose()


async def _place(request: web.Request) -> web.Response:
    order = await _body(request)
    if not order.keys() >= _NEEDED:
        return _refusal(400, _UNREADABLE, "An order needs To, From and Url.")
    call = request.app[_NETWORK].place(order)
    if call is None:
        return _refusal(400, NO_SUCH_NUMBER, "The sandbox reaches +1 NPA 555-0100 to 0199 only, and not every one.")
    return web.json_response(_resource(call), status=201)


async def _list(request: web.Request) -> web.Response:
    query = request.query
    found = request.app[_NETWORK].listing(to=query.get("To", ""), sender=query.get("From", ""))
    return web.json_response({"calls": [_resource(call) for call in found]})


async def _tell(request: web.Request) -> web.Response:
    call = request.app[_NETWORK].find(request.match_info["sid"])
    return _no_such_call() if call is None else web.json_response(_resource(call))


async def _change(request: web.Request) -> web.Response:
    network, sid, wish = request.app[_NETWORK], request.match_info["sid"], await _body(request)
    call, play = network.find(sid), network.playing(sid)
    if call is None:
        return _no_such_call()
    if play is None or call.is_over:
        return _refusal(400, NOT_IN_PROGRESS, "Call is not in-progress. Cannot redirect.")
    if wish.get("url"):
        play.redirect(wish["url"])
    elif wish.get("status") == "completed":
        play.end()
    return web.json_response(_resource(call))


async def _body(request: web.Request) -> dict[str, str]:
    try:
        read = json.loads(await request.read())
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in read.items()} if isinstance(read, dict) else {}


def _resource(call: LedgerCall) -> dict[str, Any]:
    return {
        "sid": call.sid,
        "status": call.status,
        "created": call.created.isoformat(),
        "duration": None if call.duration is None else int(call.duration),
    }


def _no_such_call() -> web.Response:
    return _refusal(404, _UNKNOWN, "The requested call was not found.")


def _refusal(status: int, code: int, message: str) -> web.Response:
    return web.json_response({"code": code, "message": message}, status=status)
