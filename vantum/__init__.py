"""The site: settings, addresses, servers, logs and metrics. Everything about calls lives in ``calls``."""

import os

# The arrays here are short: a second thread of BLAS would only take its core from the calls. NumPy asks when it loads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from vantum.celery import app as celery_app

__all__ = ["celery_app"]
