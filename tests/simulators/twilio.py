"""Twilio's REST wire over the sandbox's books, with its faults, and its signed callbacks. The real SDK talks to it.

The server runs in threads of its own, because the SDK blocks. Callbacks go out only when a test says that something
happened: ``call.ring()``, ``call.answer()``; ``send`` sends them, over HTTP or straight into Django's test client.
"""

import base64
import json
import secrets
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from twilio.request_validator import RequestValidator

from calls.sandbox.ledger import NO_SUCH_NUMBER, NOT_IN_PROGRESS, Form, LedgerCall

PAGE = 2
"""Calls on one page of a list, however many were asked for."""
INVALID_NUMBER = "+15005550001"


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """One request's misfortune. ``is_accepted``: what was asked for is done before it goes wrong.

    ``status`` and ``code`` refuse in Twilio's form; ``hang`` never answers; ``drop`` closes the connection; ``garbage``
    answers with this text.
    """

    status: int = 0
    code: int = 0
    hang: bool = False
    drop: bool = False
    garbage: str = ""
    is_accepted: bool = False


@dataclass(frozen=True)
class Reply:
    """What a webhook answered."""

    status: int
    text: str


Send = Callable[[str, Mapping[str, str], Mapping[str, str]], Reply]
"""Post a form to an address with these headers."""


class SimulatedCall(LedgerCall):
    """One call of the sandbox's books. Each method is something that happens to it, told as Twilio tells it."""

    def __init__(
        self,
        twilio: "TwilioSimulator",
        order: Mapping[str, str],
        *,
        direction: str = "outbound-api",
        status: str = "queued",
        created: datetime | None = None,
    ) -> None:
        super().__init__(twilio.account_sid, order, direction=direction, status=status)
        self.twilio = twilio
        self.created = created or self.created
        self.redirects: list[str] = []
        self.told: list[tuple[str, dict[str, str]]] = []
        self.recorded: dict[str, dict[str, str]] = {}
        self.changed: list[tuple[str, dict[str, str]]] = []

    @property
    def stopped(self) -> list[str]:
        """Recordings that were stopped."""
        return [sid for sid, change in self.changed if change["Status"] == "stopped"]

    def start(self) -> Reply:
        """The call leaves the queue."""
        return self._become("initiated")

    def ring(self) -> Reply:
        """The telephone rings."""
        return self._become("ringing")

    def answer(self) -> Reply:
        """Somebody picks up: first the status is told, then TwiML is asked for."""
        self._become("in-progress")
        return self.ask(self.order["Url"])

    def end(self, status: str = "completed", **more: str) -> Reply:
        """The call is over."""
        if status == "completed":
            more["CallDuration"] = more.get("CallDuration", "42")
        return self._become(status, **more)

    def refuse(self) -> Reply:
        """The line is busy."""
        return self.end("busy")

    def detect(self, answered_by: str) -> Reply:
        """The asynchronous answering machine detection has its verdict."""
        return self._post(self.verdict(answered_by, 2400))

    def stream(self, url: str, event: str, **more: str) -> Reply:
        """Something happens to a media stream; ``url`` is its TwiML's ``statusCallback``."""
        return self._post(self.stream_event(url, f"MZ{self.sid[2:]}", event, **more))

    def ask(self, url: str, **more: str) -> Reply:
        """Ask for TwiML."""
        return self._post(self.question(url, **more))

    def repeat(self, index: int = -1) -> Reply:
        """Send something again exactly as it was sent."""
        url, form = self.told[index]
        return self.twilio.post(url, form)

    def _become(self, status: str, **more: str) -> Reply:
        return self._post(self.advance(status, **more))

    def _post(self, form: Form | None) -> Reply:
        if form is None:
            return Reply(0, "")
        self.told.append((form.url, form.fields))
        return self.twilio.post(form.url, form.fields)

    def as_json(self) -> dict[str, Any]:
        """Give the call resource."""
        return {
            "sid": self.sid,
            "account_sid": self.twilio.account_sid,
            "to": self.order["To"],
            "from": self.order["From"],
            "status": self.status,
            "direction": self.direction,
            "date_created": format_datetime(self.created),
            "duration": self.duration,
        }


@dataclass
class TwilioSimulator:
    """One account. ``url`` goes into ``TWILIO_BASE_URL``. ``with TwilioSimulator(send) as twilio: ...``."""

    send: Send
    account_sid: str = "AC00000000000000000000000000000001"
    auth_token: str = "the account's token"
    calls: list[SimulatedCall] = field(default_factory=list)
    troubles: deque[Trouble] = field(default_factory=deque)
    requests: list[tuple[str, str]] = field(default_factory=list)
    recordings: dict[str, str] = field(default_factory=dict)
    on_create: Callable[[SimulatedCall], object] | None = None
    """Called in the middle of a creation, before its answer goes out."""

    def __enter__(self) -> Self:
        self._stopping = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Rest)
        self._server.twilio = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def call(self) -> SimulatedCall:
        """The only call."""
        (call,) = self.calls
        return call

    def dial_in(self, *, caller: str, called: str) -> SimulatedCall:
        """Somebody calls the account's number."""
        call = SimulatedCall(self, {"To": called, "From": caller}, direction="inbound", status="ringing")
        self.calls.append(call)
        return call

    def post(self, url: str, form: Mapping[str, str], *, token: str = "") -> Reply:
        """Send a signed form; another ``token`` signs it wrongly."""
        signature = RequestValidator(token or self.auth_token).compute_signature(url, form)
        return self.send(url, form, {"X-Twilio-Signature": signature})

    def wait(self) -> None:
        """Keep a request without an answer until the end."""
        self._stopping.wait()

    # --- the account's side of each request ---------------------------------------------------------------------------

    def create(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if form["To"] == INVALID_NUMBER:
            return 400, refusal(400, NO_SUCH_NUMBER, "The phone number you are attempting to call is not valid.")
        call = SimulatedCall(self, form)
        self.calls.append(call)
        if self.on_create:
            self.on_create(call)
        return 201, call.as_json() | {"status": "queued"}

    def listing(self, query: dict[str, str], path: str) -> tuple[int, dict[str, Any]]:
        found = [
            call
            for call in reversed(self.calls)
            if query.get("To", call.order["To"]) == call.order["To"]
            and query.get("From", call.order["From"]) == call.order["From"]
        ]
        page = int(query.get("Page", "0"))
        following = f"{path}?{urlencode({**query, 'Page': page + 1})}" if len(found) > (page + 1) * PAGE else None
        shown = found[page * PAGE : (page + 1) * PAGE]
        return 200, {"calls": [call.as_json() for call in shown], "page": page, "next_page_uri": following}

    def one(self, sid: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        call = next((call for call in self.calls if call.sid == sid), None)
        if call is None:
            return 404, refusal(404, 20404, f"The requested resource /Calls/{sid}.json was not found")
        if form and call.is_over:
            return 400, refusal(400, NOT_IN_PROGRESS, "Call is not in-progress. Cannot redirect.")
        if form.get("Status") == "completed":
            call.status = "completed" if call.status == "in-progress" else "canceled"
        if "Url" in form:
            call.redirects.append(form["Url"])
        return 200, call.as_json()

    def record(self, sid: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        call = next((call for call in self.calls if call.sid == sid and not call.is_over), None)
        if call is None:
            return 404, refusal(404, 20404, f"The requested resource /Calls/{sid}/Recordings.json was not found")
        recording_sid = f"RE{secrets.token_hex(16)}"
        call.recorded[recording_sid] = form
        self.recordings[recording_sid] = sid
        return 201, {"sid": recording_sid, "call_sid": sid, "status": "in-progress"}

    def change_record(self, sid: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        call = next((call for call in self.calls if call.sid == sid), None)
        running = [] if call is None else [each for each in call.recorded if each not in call.stopped]
        if call is None or not running:
            return 404, refusal(404, 20404, "The requested resource Twilio.CURRENT was not found")
        call.changed.append((running[-1], form))
        return 200, {"sid": running[-1], "call_sid": sid, "status": form["Status"]}

    def erase(self, recording_sid: str) -> tuple[int, dict[str, Any]]:
        if self.recordings.pop(recording_sid, None) is None:
            return 404, refusal(404, 20404, f"The requested resource /Recordings/{recording_sid}.json was not found")
        return 204, {}


class _Server(ThreadingHTTPServer):
    twilio: TwilioSimulator
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that was killed."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Rest(BaseHTTPRequestHandler):
    """Below ``/2010-04-01/Accounts/{sid}``: calls, one call, its recordings, and a recording to be deleted."""

    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve({})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(length).decode()
        if len(body.encode()) < length:  # who asked was killed in the midst of it
            self.close_connection = True
            return
        fields = parse_qs(body, keep_blank_values=True)
        self._serve({name: ",".join(values) for name, values in fields.items()})

    def do_DELETE(self) -> None:
        self._serve({})

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _serve(self, form: dict[str, str]) -> None:
        twilio, parts = self.server.twilio, urlsplit(self.path)
        twilio.requests.append((self.command, parts.path))
        trouble = twilio.troubles.popleft() if twilio.troubles else Trouble()
        status, answer = 0, dict[str, Any]()
        if trouble == Trouble() or trouble.is_accepted:
            status, answer = self._do(parts.path, _query(parts.query), form)
        if trouble.hang:
            twilio.wait()
        if trouble.hang or trouble.drop:
            self.close_connection = True
            return
        if trouble.status:
            status, answer = trouble.status, refusal(trouble.status, trouble.code, "planned")
        body = (trouble.garbage or (json.dumps(answer) if answer else "")).encode()
        self.send_response(status or 201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _do(self, path: str, query: dict[str, str], form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        twilio = self.server.twilio
        keys = base64.b64encode(f"{twilio.account_sid}:{twilio.auth_token}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {keys}":
            return 401, refusal(401, 20003, "Authenticate")
        account = f"/2010-04-01/Accounts/{twilio.account_sid}"
        calls = f"{account}/Calls"
        match path.removeprefix(f"{account}/").removesuffix(".json").split("/"):
            case ["Recordings", recording_sid] if self.command == "DELETE":
                return twilio.erase(recording_sid)
            case ["Calls", sid, "Recordings"]:
                return twilio.record(sid, form)
            case ["Calls", sid, "Recordings", "Twilio.CURRENT"]:
                return twilio.change_record(sid, form)
        if path == f"{calls}.json":
            return twilio.create(form) if self.command == "POST" else twilio.listing(query, path)
        return twilio.one(path.removeprefix(f"{calls}/").removesuffix(".json"), form)


def refusal(status: int, code: int, message: str) -> dict[str, Any]:
    """Give an error in Twilio's form."""
    return {
        "status": status,
        "code": code,
        "message": message,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
    }


def _query(text: str) -> dict[str, str]:
    """Give a query's names and values."""
    return {name: values[0] for name, values in parse_qs(text).items()}
