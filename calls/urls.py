"""The addresses of calls over HTTP."""

from django.urls import path

from calls.views import live, webhooks
from calls.views.pages import console, document, favicon, landing
from calls.views.recordings import recording

urlpatterns = [
    path("", landing, name="landing"),
    path("favicon.ico", favicon, name="favicon"),
    path("console/", console, name="console"),
    path("docs/<slug:name>", document, name="document"),
    path("live/", live.live_calls, name="live-calls"),
    path("live/persona/", live.call_persona, name="call-persona"),
    path("live/<uuid:attempt_id>/", live.live_call, name="live-call"),
    path("live/<uuid:attempt_id>/hang-up", live.hang_up, name="live-hang-up"),
    path("recordings/<uuid:session_id>.wav", recording, name="recording"),
    path("twilio/answer", webhooks.answer, name="twilio-answer"),
    path("twilio/next", webhooks.next_step, name="twilio-next"),
    path("twilio/inbound", webhooks.take_inbound, name="twilio-inbound"),
    path("twilio/inbound/key", webhooks.take_inbound_key, name="twilio-inbound-key"),
    path("twilio/status", webhooks.status, name="twilio-status"),
    path("twilio/recording", webhooks.recording, name="twilio-recording"),
    path("twilio/amd", webhooks.detection, name="twilio-amd"),
    path("twilio/stream-status", webhooks.stream_status, name="twilio-stream-status"),
]
