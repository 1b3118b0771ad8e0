"""What the carrier is told to do, as TwiML (https://www.twilio.com/docs/voice/twiml), and the addresses it calls back.

It is made by templates, which escape every value that is put in.
"""

from urllib.parse import urlencode

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from calls.models import CallAttempt


def callback_url(name: str, attempt: CallAttempt, **query: int) -> str:
    """Give the address at which the carrier tells or asks something about a call."""
    return f"{settings.PUBLIC_URL}{reverse(name)}?{urlencode({'key': attempt.dial_key, **query})}"


def media_url() -> str:
    """Give the address of the media streams. It says nothing about a call: Twilio drops its query."""
    return f"{settings.PUBLIC_URL.replace('http', 'ws', 1)}/twilio/media"


def connect_stream(attempt: CallAttempt, token: str, *, number: int) -> str:
    """Have a call's audio streamed, and ask what comes next when that stream ends, however it ends."""
    return _render(
        "stream",
        token=token,
        media_url=media_url(),
        status_url=callback_url("twilio-stream-status", attempt, stream=number),
        next_url=callback_url("twilio-next", attempt, after=number),
    )


def dial(attempt: CallAttempt, number: str, *, after: int) -> str:
    """Connect the caller with a telephone that rings, and ask what comes next when that is over, however it went."""
    return _render(
        "dial",
        number=number,
        caller_id=attempt.own_e164,
        ring_seconds=settings.RING_SECONDS,
        next_url=callback_url("twilio-next", attempt, after=after),
    )


def join_conference(attempt: CallAttempt, room: str, *, after: int) -> str:
    """Send a leg into a conference of two, which is over for both when one leaves; then ask what comes next."""
    return _render("conference", room=room, next_url=callback_url("twilio-next", attempt, after=after))


def ask_again(attempt: CallAttempt, *, after: int, waits: int) -> str:
    """Have the carrier ask what comes next in a second, for the ``waits``-th time."""
    return _render("wait", next_url=callback_url("twilio-next", attempt, after=after, waits=waits))


def hang_up() -> str:
    """End the call."""
    return _render("hang_up")


def say_goodbye(words: str, language: str) -> str:
    """Say a last thing with the carrier's own voice, and end the call."""
    return _render("goodbye", words=words, language=language)


def greet_inbound(attempt: CallAttempt, language: str, *, may_suppress: bool) -> str:
    """Greet somebody who called us, and take the key for getting no more calls; then ask what comes next."""
    return _render(
        "inbound",
        greeting=settings.INBOUND_GREETING,
        language=language,
        key_url=callback_url("twilio-inbound-key", attempt) if may_suppress else "",
        next_url=callback_url("twilio-next", attempt, after=0),
    )


def _render(name: str, **context: object) -> str:
    return render_to_string(f"telephony/{name}.xml", context)
