"""The addresses of calls over HTTP."""

from django.urls import path

from calls.views.recordings import recording

urlpatterns = [
    path("recordings/<uuid:session_id>.wav", recording, name="recording"),
]
