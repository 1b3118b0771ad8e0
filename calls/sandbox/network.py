"""The network: who can be reached at which number, the calls on it, and how they reach the web process."""

import asyncio
import logging
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from aiohttp import ClientError, ClientSession, ClientTimeout, ClientWebSocketResponse, ClientWSTimeout, WSMsgType
from twilio.request_validator import RequestValidator

from calls.errors import WireError
from calls.sandbox.ledger import Form, LedgerCall
from calls.sandbox.performance import Performance, Reply
from calls.sandbox.personas import Casting, cast
from calls.sandbox.personas.cast import Outcome
from calls.sandbox.rooms import Rooms
from calls.sandbox.voice import Voices

log = logging.getLogger(__name__)

ACCOUNT_SID = f"AC{'5a' * 16}"
NUMBERS = re.compile(r"\+1\d{3}55501\d\d")
"""555-0100 to 555-0199 in any area: kept free for fiction, so that nobody is there."""
_ANSWER = ClientTimeout(total=15, connect=5)
_CONNECT_SECONDS = 5.0
_LARGEST_TEXT = 2**20
_MOST_REMEMBERED = 5_000


class _Socket:
    """aiohttp's, in the words of ``performance.Socket``."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self._socket = socket

    async def send(self, text: str) -> None:
        try:
            await self._socket.send_str(text)
        except ClientError as error:
            raise ConnectionResetError(str(error)) from error

    async def texts(self) -> AsyncIterator[str]:
        async for message in self._socket:
            if message.type is not WSMsgType.TEXT:
                unexpected = f"a {message.type.name} message; expected a text"
                raise WireError(unexpected)
            yield message.data

    async def close(self) -> None:
        await self._socket.close()


class Network:
    """All calls of this process. ``token`` signs what is posted, as a Twilio account's does."""

    def __init__(self, *, token: str, folder: Path) -> None:
        self.voices = Voices(folder)
        self.rooms = Rooms()
        self._validator = RequestValidator(token)
        self._session: ClientSession | None = None
        self._calls: dict[str, LedgerCall] = {}
        self._plays: dict[str, tuple[Performance, asyncio.Task[None]]] = {}
        self._attempts: Counter[str] = Counter()

    # --- what a customer of a carrier can do --------------------------------------------------------------------------

    def reach(self, number: str) -> Casting | None:
        """Give who is at a number, another wording each time; None where that is no number of ours."""
        if not NUMBERS.fullmatch(number):
            return None
        casting = cast(number, self._attempts[number])
        self._attempts[number] += 1
        return casting

    def place(self, order: Mapping[str, str]) -> LedgerCall | None:
        """Dial; None where there is no such number."""
        casting = self.reach(order["To"])
        if casting is None or casting.outcome is Outcome.REFUSED:
            return None
        call = LedgerCall(ACCOUNT_SID, order)
        self._remember(call)
        play = Performance(call, casting, self)
        task = asyncio.create_task(play.run())
        self._plays[call.sid] = play, task
        task.add_done_callback(lambda _: self._plays.pop(call.sid, None))
        log.info("call %s to a number ending in %s: %s", call.sid, order["To"][-2:], casting.kind)
        return call

    def find(self, sid: str) -> LedgerCall | None:
        """Give a call."""
        return self._calls.get(sid)

    def listing(self, *, to: str, sender: str) -> list[LedgerCall]:
        """Give the calls from one number to another, the newest first."""
        pair = (to, sender)
        return [call for call in reversed(self._calls.values()) if (call.order["To"], call.order["From"]) == pair]

    def playing(self, sid: str) -> Performance | None:
        """Give the play of a call that is not over."""
        found = self._plays.get(sid)
        return None if found is None else found[0]

    def _remember(self, call: LedgerCall) -> None:
        self._calls[call.sid] = call
        if len(self._calls) > _MOST_REMEMBERED:
            oldest = next((sid for sid, old in self._calls.items() if old.is_over), None)
            if oldest is not None:
                del self._calls[oldest]

    # --- what a call needs (``performance.World``) --------------------------------------------------------------------

    async def post(self, form: Form) -> Reply:
        """Post a signed form."""
        headers = {"X-Twilio-Signature": self._validator.compute_signature(form.url, form.fields)}
        try:
            async with self._client.post(form.url, data=form.fields, headers=headers, timeout=_ANSWER) as answer:
                return Reply(answer.status, await answer.text())
        except (ClientError, TimeoutError, OSError, UnicodeDecodeError) as error:
            log.warning("%s did not answer: %s", form.url.partition("?")[0], type(error).__name__)
            return Reply(0)

    async def connect(self, url: str) -> _Socket:
        """Open a media stream's socket."""
        headers = {"X-Twilio-Signature": self._validator.compute_signature(url, {})}
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                socket = await self._client.ws_connect(
                    url, headers=headers, compress=0, max_msg_size=_LARGEST_TEXT, timeout=ClientWSTimeout(ws_close=2)
                )
        except (ClientError, TimeoutError) as error:
            raise ConnectionError(type(error).__name__) from error
        return _Socket(socket)

    @property
    def _client(self) -> ClientSession:
        if self._session is None:
            self._session = ClientSession()
        return self._session

    # --- the end ------------------------------------------------------------------------------------------------------

    async def aclose(self) -> None:
        """Break all calls off."""
        tasks = [task for _, task in self._plays.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
        await self.voices.aclose()
