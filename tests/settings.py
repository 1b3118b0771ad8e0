"""The product's settings in a folder of this test run, with the scripted providers and no key.

The environment is set before the settings are read, so processes that tests start see the same; what a test gives
its own process explicitly stays.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_worker = os.environ.get("PYTEST_XDIST_WORKER", "main")

if "TEST_RUN_DIR" not in os.environ:
    os.environ["TEST_RUN_DIR"] = tempfile.mkdtemp(prefix="vantum-tests-")
    atexit.register(shutil.rmtree, os.environ["TEST_RUN_DIR"], ignore_errors=True)
if os.environ.get("TEST_WORKER") != _worker:
    os.environ["TEST_WORKER"] = _worker
    for name in ("DEEPGRAM_API_KEY", "OPENAI_API_KEY", "CARTESIA_API_KEY", "REDIS_URL", "CELERY_BROKER_URL", "DEBUG"):
        os.environ.pop(name, None)
    for name in [name for name in os.environ if name.startswith("TWILIO_") or name in {"CARRIER", "PUBLIC_URL"}]:
        del os.environ[name]
    os.environ |= {
        "DATA_DIR": str(Path(os.environ["TEST_RUN_DIR"], _worker)),
        "SECRET_KEY": "for tests only, and long enough to sign with",
        "STT_PROVIDER": "scripted",
        "LLM_PROVIDER": "scripted",
        "TTS_PROVIDER": "scripted",
    }

from vantum.settings import *  # noqa: E402, F403 (the environment comes first, and these are all of the product's settings)

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
"""Strong hashes are slow on purpose."""
SERVESTATIC_AUTOREFRESH = SERVESTATIC_USE_FINDERS = True
"""Static files come from their source folders: no test runs collectstatic first."""
