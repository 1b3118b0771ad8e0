"""The site: settings, addresses, servers, logs and metrics. Everything about calls lives in ``calls``."""

from vantum.celery import app as celery_app

__all__ = ["celery_app"]
