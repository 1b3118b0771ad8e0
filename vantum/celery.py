"""The Celery application: wake-ups for work that lies in tables."""

import logging
import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, setup_logging, worker_ready
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vantum.settings")
TRANSPORT_ALIASES["filesystem"] = "vantum.filequeue:Transport"

app = Celery("vantum")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

logger = logging.getLogger(__name__)


def _keep_logging(**_facts: Any) -> None:
    """Leave the logging as the settings have it: a receiver here stops Celery from replacing it."""


def _say_worker_ready(**_facts: Any) -> None:
    logger.info("the worker takes tasks")


def _say_scheduler_ready(**_facts: Any) -> None:
    logger.info("the scheduler runs")


# Celery holds receivers weakly; these are held by the module.
setup_logging.connect(_keep_logging)
worker_ready.connect(_say_worker_ready)
beat_init.connect(_say_scheduler_ready)
