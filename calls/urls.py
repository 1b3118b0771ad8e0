"""The addresses of calls over HTTP."""

from django.urls import path

from calls.views.pages import console, document, landing
from calls.views.recordings import recording

urlpatterns = [
    path("", landing, name="landing"),
    path("console/", console, name="console"),
    path("docs/<slug:name>", document, name="document"),
    path("recordings/<uuid:session_id>.wav", recording, name="recording"),
]
