"""The addresses of calls over WebSockets."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from channels.db import database_sync_to_async
from channels.routing import URLRouter
from django.urls import path, re_path
from django.utils import timezone

from calls import services, telephony
from calls.consumers.admission import Refusal, refuse
from calls.consumers.console import ConsoleConsumer
from calls.consumers.lean import Receive, Send
from calls.consumers.monitor import MonitorConsumer, MonitorParts
from calls.consumers.phone import PhoneConsumer
from calls.consumers.phone.call import Parts
from calls.consumers.phone.line import Switchboard
from calls.recorder.replay import journalled
from calls.services import load_attempt_call
from calls.services.watching import describe_call, stored_turns
from calls.telephony import tokens, transfers, verdicts
from calls.telephony.signatures import is_socket_signed

SWITCHBOARD = Switchboard(
    suppress=database_sync_to_async(
        lambda attempt_id, words: services.suppress_person(attempt_id, words=words, at=timezone.now()),
        thread_sensitive=False,
    ),
    transfer=database_sync_to_async(transfers.transfer, thread_sensitive=False),
    consult=database_sync_to_async(transfers.consult, thread_sensitive=False),
    look=database_sync_to_async(transfers.look, thread_sensitive=False),
    accept=database_sync_to_async(transfers.accept, thread_sensitive=False),
    decline=database_sync_to_async(transfers.decline, thread_sensitive=False),
)
PHONE = Parts(
    switchboard=SWITCHBOARD,
    redeem=database_sync_to_async(tokens.redeem, thread_sensitive=False),
    load=database_sync_to_async(partial(load_attempt_call, journalled=journalled), thread_sensitive=False),
    is_signed=is_socket_signed,
    order_recording=database_sync_to_async(telephony.order_recording, thread_sensitive=False),
    follow=verdicts.follow,
    end_leg=database_sync_to_async(telephony.hang_up, thread_sensitive=False),
)
MONITOR = MonitorParts(
    look=database_sync_to_async(describe_call, thread_sensitive=False),
    read=database_sync_to_async(stored_turns, thread_sensitive=False),
)


async def not_found(scope: Mapping[str, Any], _receive: Receive, send: Send) -> None:
    """Refuse a handshake at an address where nothing is."""
    await refuse(scope, send, Refusal(404, "path", "There is no WebSocket here; the console's is at /ws."))


websockets = URLRouter(
    [
        path("ws", ConsoleConsumer.as_asgi()),
        path("twilio/media", PhoneConsumer.as_asgi(parts=PHONE)),
        path("live/ws/<uuid:attempt_id>", MonitorConsumer.as_asgi(parts=MONITOR)),
        re_path("", not_found),  # type: ignore[arg-type]  # (an ASGI application in a view's place)
    ]
)
