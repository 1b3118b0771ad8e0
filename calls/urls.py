"""The addresses of calls over HTTP."""

from django.urls import path

from calls.views import webhooks
from calls.views.pages import console, document, landing
from calls.views.recordings import recording

urlpatterns = [
    path("", landing, name="landing"),
    path("console/", console, name="console"),
    path("docs/<slug:name>", document, name="document"),
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
