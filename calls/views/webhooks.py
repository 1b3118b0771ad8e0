"""What the carrier asks and tells, at the addresses that ``calls.telephony.twiml`` names to it.

Everything comes late, twice, out of order, and from anybody on the net: it is signed or refused, and what is known
already changes nothing. A question gets TwiML, also about a call that nobody knows; a callback gets 204.
"""

import logging
import re
from collections.abc import Callable
from functools import cache, wraps
from time import monotonic, sleep

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from calls import services
from calls.engine.phonecall import OPT_OUT_KEY
from calls.enums import AttemptKind, AttemptStatus, OperatorOrder, SuppressionSource
from calls.live import live_calls
from calls.models import CallAttempt
from calls.recorder.replay import journalled
from calls.services import StreamGrant
from calls.telephony import inbound, tokens, transfers, twiml, verdicts
from calls.telephony.carriers import carrier_status, signing_tokens

logger = logging.getLogger(__name__)

_Webhook = Callable[[HttpRequest], HttpResponse]
_WORD = re.compile(r"[\w-]{1,64}", re.ASCII)
_LANGUAGE = "en-US"
_COUNT = re.compile(r"\d{1,6}", re.ASCII)

_SIGNER = "calls.carrier"
"""Where a checked request says who signed it; no header of a client gets there."""
END_WAIT_SECONDS = 0.6
"""How long the end of a conversation may be on its way from another machine's recorder; past it, the call goes on."""
_END_POLL_SECONDS = 0.05
_MOST_WAITS = 20
"""How often a call asks, a second apart, for the process that comes after one that stops."""


def signed(view: _Webhook) -> _Webhook:
    """Let through what the carrier signed, and answer 403 to everything else."""

    @csrf_exempt
    @require_POST
    @wraps(view)
    def checked(request: HttpRequest) -> HttpResponse:
        signer = _signer(request)
        if signer is None:
            logger.warning("a webhook without a good signature: %s", request.path)
            return HttpResponseForbidden("The signature does not fit.", content_type="text/plain")
        request.META[_SIGNER] = signer
        return view(request)

    return checked


def _signer(request: HttpRequest) -> str | None:
    """Give the carrier whose token signed this request to the address at which we are known; None where none did.

    What a carrier signs is about its own calls only. A proxy's word for the address counts only
    where settings say that one stands in front.
    """
    signature = request.headers.get("X-Twilio-Signature", "")
    if not signature:
        return None
    # Processes that serve no carrier do without the SDK.
    from twilio.request_validator import RequestValidator, get_signature_algorithm  # noqa: PLC0415 (see above)

    addresses = [settings.PUBLIC_URL + request.get_full_path()]
    if settings.USE_X_FORWARDED_HOST:
        addresses.append(request.build_absolute_uri())
    algorithm = get_signature_algorithm(request.headers.get("X-Twilio-Webhooks-Signature-Settings", ""))
    for name, token in signing_tokens().items():
        validator = RequestValidator(token)
        if any(validator.validate(address, request.POST, signature, algorithm) for address in addresses):
            return name
    return None


# --- questions --------------------------------------------------------------------------------------------------------


@signed
def answer(request: HttpRequest) -> HttpResponse:
    """Somebody answered: connect them with the agent."""
    attempt = _attempt(request)
    if attempt is None:
        return _twiml(twiml.hang_up())
    is_first = services.advance_attempt(attempt.pk, AttemptStatus.IN_PROGRESS, at=timezone.now())
    if not is_first and attempt.is_over:
        return _twiml(twiml.hang_up())
    # Asked again after an answer that failed, perhaps in the middle of the call: it goes on.
    after = 0 if is_first else services.opened_streams(attempt.pk)
    if attempt.kind == AttemptKind.COLLEAGUE:
        # While the telephone rang the caller may have gone.
        verbs = transfers.next_verbs(attempt, after=after, told="", has_ended=lambda: False, now=timezone.now())
        if verbs is not None:
            return _twiml(verbs)
    return _stream(request, attempt, after=after)


@signed
def next_step(request: HttpRequest) -> HttpResponse:
    """The stream is over and the call is not: end it too, or go on where its conversation did not come to an end."""
    attempt, after = _attempt(request), _count(request.GET.get("after", "")) or 0
    if attempt is None or attempt.is_over or attempt.order == OperatorOrder.HANG_UP:
        return _twiml(twiml.hang_up())
    told = request.POST.get("DialCallStatus", "")
    # Of a stream that a dialling has followed, the end is known.
    has_ended = cache(lambda: not told and _has_ended(attempt, after))
    verbs = transfers.next_verbs(attempt, after=after, told=told, has_ended=has_ended, now=timezone.now())
    if verbs is not None:
        return _twiml(verbs)
    return _twiml(twiml.hang_up()) if has_ended() else _stream(request, attempt, after=after)


@signed
def take_inbound(request: HttpRequest) -> HttpResponse:
    """Somebody calls us: offer them to get no more calls, and then the agent."""
    attempt = inbound.take(
        request.POST.get("CallSid", ""),
        caller=request.POST.get("From", ""),
        called=request.POST.get("To", ""),
        carrier=request.META[_SIGNER],
    )
    if attempt is None or attempt.is_over:
        return _twiml(twiml.hang_up())
    may_suppress = bool(attempt.from_e164)
    return _twiml(twiml.greet_inbound(attempt, _language(attempt), may_suppress=may_suppress))


@signed
def take_inbound_key(request: HttpRequest) -> HttpResponse:
    """The caller pressed a key over the greeting."""
    attempt = _attempt(request)
    if attempt is None:
        return _twiml(twiml.hang_up())
    if request.POST.get("Digits", "") != OPT_OUT_KEY or not attempt.person_e164:
        return _stream(request, attempt, after=0)
    proof = f"pressed {OPT_OUT_KEY} on the call {attempt.carrier_sid} at {timezone.now().isoformat()}"
    services.suppress(attempt.person_e164, source=SuppressionSource.KEY, proof=proof)
    return _twiml(twiml.say_goodbye(settings.INBOUND_SUPPRESSED, _language(attempt)))


def _stream(request: HttpRequest, attempt: CallAttempt, *, after: int) -> HttpResponse:
    """Connect a call with the agent on its next stream; the carrier's own voice says so where that cannot be.

    A process that stops would refuse the stream: the call asks again, until another process answers.
    """
    waits = _count(request.GET.get("waits", "")) or 0
    if live_calls.is_draining and waits < _MOST_WAITS:
        return _twiml(twiml.ask_again(attempt, after=after, waits=waits + 1))
    if attempt.agent_version is None:
        return _twiml(twiml.say_goodbye(settings.INBOUND_GOODBYE, _language(attempt)))
    token = tokens.issue(attempt.pk, after=after)
    if token is None:
        logger.warning("attempt %s lost too many streams", attempt.pk)
        return _twiml(twiml.say_goodbye(settings.FALLBACK_LINES[-1], _language(attempt)))
    if after:
        logger.info("attempt %s goes on with stream %s", attempt.pk, after + 1)
    return _twiml(twiml.connect_stream(attempt, token, number=after + 1))


def _has_ended(attempt: CallAttempt, number: int) -> bool:
    """Whether the conversation of a stream came to its end. The news of it may still be on its way."""
    until = monotonic() + END_WAIT_SECONDS
    while (ended := _ended(attempt, number)) is None and monotonic() < until:
        sleep(_END_POLL_SECONDS)
    return bool(ended)


def _ended(attempt: CallAttempt, number: int) -> bool | None:
    return services.has_conversation_ended(attempt.pk, number, journalled=journalled)


def _language(attempt: CallAttempt) -> str:
    content = attempt.agent_version.content if attempt.agent_version else {}
    return str(content.get("language") or _LANGUAGE)


def _twiml(text: str) -> HttpResponse:
    return HttpResponse(text, content_type="text/xml; charset=utf-8")


# --- callbacks --------------------------------------------------------------------------------------------------------


@signed
def status(request: HttpRequest) -> HttpResponse:
    """Take where a call is by now."""
    attempt = _attempt(request)
    told = carrier_status(request.POST.get("CallStatus", ""))
    if attempt is not None and told is not None:
        sip = request.POST.get("SipResponseCode", "")
        failed = told.is_over and told is not AttemptStatus.COMPLETED
        services.advance_attempt(
            attempt.pk,
            told,
            at=timezone.now(),
            sequence=_count(request.POST.get("SequenceNumber", "")),
            duration_seconds=_count(request.POST.get("CallDuration", "")),
            error=f"SIP {sip}" if failed and sip else "",
            error_code=_count(request.POST.get("ErrorCode", "")),
        )
        if told.is_over:
            attempt.refresh_from_db()
            transfers.settle(attempt, now=timezone.now())
    return HttpResponse(status=204)


@signed
def detection(request: HttpRequest) -> HttpResponse:
    """Take the carrier's verdict on who answered."""
    attempt, answered_by = _attempt(request), request.POST.get("AnsweredBy", "")
    if attempt is not None and answered_by:
        if services.note_machine_detection(attempt.pk, answered_by):
            verdicts.announce(attempt.pk, answered_by)
        transfers.detect_machine(attempt, answered_by)
    return HttpResponse(status=204)


@signed
def recording(request: HttpRequest) -> HttpResponse:
    """Take where the carrier has its recording of a call."""
    attempt, sid = _attempt(request), request.POST.get("RecordingSid", "")
    is_done = request.POST.get("RecordingStatus", "completed") == "completed"
    if attempt is not None and is_done and _WORD.fullmatch(sid):
        services.note_carrier_recording(
            attempt.pk,
            sid,
            url=request.POST.get("RecordingUrl", ""),
            seconds=_count(request.POST.get("RecordingDuration", "")),
        )
    return HttpResponse(status=204)


@signed
def stream_status(request: HttpRequest) -> HttpResponse:
    """Take what became of a media stream."""
    attempt, number = _attempt(request), _count(request.GET.get("stream", ""))
    if attempt is not None and number:
        event = request.POST.get("StreamEvent", "")
        error = request.POST.get("StreamError", "") or ("stream-error" if event == "stream-error" else "")
        if error:
            logger.warning("stream %s of attempt %s failed", number, attempt.pk)
        services.note_stream(
            StreamGrant(attempt.pk, number),
            carrier_sid=request.POST.get("StreamSid", ""),
            at=timezone.now(),
            has_started=event == "stream-started",
            error=error,
        )
    return HttpResponse(status=204)


# --- what they are about ----------------------------------------------------------------------------------------------


def _attempt(request: HttpRequest) -> CallAttempt | None:
    """Give the call that a request names by our key, else by the carrier's id, and learn that id."""
    key, sid = request.GET.get("key", ""), request.POST.get("CallSid", "")
    attempts = CallAttempt.objects.select_related("agent_version").filter(carrier=request.META[_SIGNER])
    attempt = attempts.filter(dial_key=key).first() if _WORD.fullmatch(key) else None
    is_sid = bool(_WORD.fullmatch(sid))
    if attempt is None and not key and is_sid:
        attempt = attempts.filter(carrier_sid=sid).first()
    if attempt is None:
        logger.info("a webhook about a call that is not ours: %s", request.path)
    elif is_sid and not attempt.carrier_sid:
        services.name_attempt(attempt.pk, sid)
    elif is_sid and attempt.carrier_sid != sid:
        logger.warning("a webhook about attempt %s names another call: %s", attempt.pk, request.path)
        return None
    return attempt


def _count(text: str) -> int | None:
    return int(text) if _COUNT.fullmatch(text) else None
