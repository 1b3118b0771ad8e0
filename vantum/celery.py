"""The Celery application: wake-ups for work that lies in tables."""

import os

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vantum.settings")
TRANSPORT_ALIASES["filesystem"] = "vantum.filequeue:Transport"

app = Celery("vantum")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
