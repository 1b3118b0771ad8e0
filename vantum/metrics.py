"""What an operator watches, in Prometheus' format at ``/metrics``. Durations are in seconds."""

import hmac
import ipaddress

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest

_LATENCY_BUCKETS = (0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 10.0)

CALLS_LIVE = Gauge("vantum_calls_live", "Calls on the line in this process.", ["door"])
CALLS_STARTED = Counter("vantum_calls_started", "Calls that began.", ["door"])
CALLS_ENDED = Counter("vantum_calls_ended", "Calls that ended, by reason.", ["reason"])
CALLS_REFUSED = Counter("vantum_calls_refused", "Connections refused at the handshake, by reason.", ["reason"])
TURNS = Counter("vantum_turns", "Finished turns.", ["speaker"])
INTERRUPTIONS = Counter("vantum_interruptions", "Replies that were cut, by reason.", ["reason"])
TURN_LATENCY = Histogram(
    "vantum_turn_latency_seconds",
    "From the end of the caller's speech to the agent's first audio, and its parts.",
    ["part"],
    buckets=_LATENCY_BUCKETS,
)
PROVIDER_FAILURES = Counter(
    "vantum_provider_failures", "Failures of a provider that a call felt, by class.", ["role", "provider", "error"]
)
CIRCUIT_OPEN = Gauge("vantum_provider_circuit_open", "1 while a provider is left alone.", ["role", "provider"])
AUDIO_DROPPED = Counter("vantum_audio_dropped_seconds", "Caller audio thrown away because a queue was full.")
CONVERSION_ERRORS = Counter("vantum_audio_conversion_errors", "Pieces of audio that could not be converted.")
RECORDER_LAG = Gauge(
    "vantum_recorder_lag_seconds", "Age of the oldest fact that is journalled but not in the database yet."
)
JOURNAL_FAILURES = Counter("vantum_journal_failures", "Facts that could not be written to the journal.")


def metrics(request: HttpRequest) -> HttpResponse:
    """Answer /metrics for staff, for the bearer of METRICS_TOKEN, and under DEBUG for this machine itself."""
    if not _may_look(request):
        return HttpResponse("Log in as staff, or send Authorization: Bearer METRICS_TOKEN.\n", "text/plain", status=403)
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def _may_look(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if settings.METRICS_TOKEN and scheme.lower() == "bearer":
        return hmac.compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())
    if settings.DEBUG and _is_loopback(request.META.get("REMOTE_ADDR", "")):
        return True
    return request.user.is_active and request.user.is_staff


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
