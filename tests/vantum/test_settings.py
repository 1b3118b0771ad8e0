import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.processes import ROOT, environment


def read(data_dir: Path, *names: str, command: str = "", **env: str) -> dict[str, Any]:
    """Give settings as a fresh process reads them."""
    code = (
        "import json, sys\n"
        "from django.conf import settings\n"
        f"print(json.dumps({{name: getattr(settings, name) for name in {names!r}}}, default=str))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, command],
        env=environment(data_dir, **env),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise AssertionError(ended.stderr.strip().splitlines()[-1])
    return dict(json.loads(ended.stdout))


def test_without_a_key_everything_is_local(tmp_path: Path) -> None:
    assert read(tmp_path, "DEFAULT_PROVIDERS", "CELERY_BROKER_URL", "REDIS_URL") == {
        "DEFAULT_PROVIDERS": {"stt": "local", "llm": "local", "tts": "local"},
        "CELERY_BROKER_URL": "filesystem://localhost//",
        "REDIS_URL": "",
    }


def test_a_key_makes_its_provider_the_default(tmp_path: Path) -> None:
    keys = {"DEEPGRAM_API_KEY": "d", "OPENAI_API_KEY": "o", "CARTESIA_API_KEY": "c"}
    assert read(tmp_path, "DEFAULT_PROVIDERS", **keys) == {
        "DEFAULT_PROVIDERS": {"stt": "deepgram", "llm": "openai", "tts": "cartesia"}
    }
    assert read(tmp_path, "DEFAULT_PROVIDERS", STT_PROVIDER="local", **keys) == {
        "DEFAULT_PROVIDERS": {"stt": "local", "llm": "openai", "tts": "cartesia"}
    }


def test_debug_is_off_unless_asked_for_and_then_a_key_is_needed(tmp_path: Path) -> None:
    assert read(tmp_path, "DEBUG", "WS_ALLOW_ANONYMOUS", DEBUG="", SECRET_KEY="k" * 50) == {
        "DEBUG": False,
        "WS_ALLOW_ANONYMOUS": False,
    }
    with pytest.raises(AssertionError, match="SECRET_KEY is not set"):
        read(tmp_path, "DEBUG", DEBUG="")


def test_behind_https_cookies_stay_on_https(tmp_path: Path) -> None:
    names = ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_HSTS_SECONDS", "CSRF_TRUSTED_ORIGINS")
    secure = {"DEBUG": "0", "SECRET_KEY": "k" * 50, "PUBLIC_URL": "https://calls.example.com"}
    assert list(read(tmp_path, *names, **secure).values()) == [True, True, 3600, ["https://calls.example.com"]]
    assert list(read(tmp_path, *names).values()) == [False, False, 0, []]


@pytest.mark.parametrize(
    ("env", "hosts"),
    [
        ({}, ["localhost", "127.0.0.1", "[::1]", "127.0.0.1"]),
        ({"PUBLIC_URL": "https://calls.example.com"}, ["localhost", "127.0.0.1", "[::1]", "calls.example.com"]),
        ({"ALLOWED_HOSTS": "a.example,b.example"}, ["a.example", "b.example"]),
        ({"HOST": "0.0.0.0"}, ["localhost", "127.0.0.1", "[::1]", "localhost"]),  # noqa: S104 (not bound)
        ({"HOST": "0.0.0.0", "ALLOW_INSECURE_HOST": "1"}, ["*"]),  # noqa: S104 (not bound)
    ],
)
def test_the_own_names_are_allowed_hosts(tmp_path: Path, env: dict[str, str], hosts: list[str]) -> None:
    assert read(tmp_path, "ALLOWED_HOSTS", **env) == {"ALLOWED_HOSTS": hosts}


def test_daphne_serves_runserver_and_costs_the_others_nothing(tmp_path: Path) -> None:
    assert "daphne" in read(tmp_path, "INSTALLED_APPS", command="runserver")["INSTALLED_APPS"]
    assert "daphne" not in read(tmp_path, "INSTALLED_APPS", command="migrate")["INSTALLED_APPS"]


def test_redis_carries_the_channel_layer_where_it_is_set(tmp_path: Path) -> None:
    layers = read(tmp_path, "CHANNEL_LAYERS", REDIS_URL="redis://127.0.0.1:6379/0")["CHANNEL_LAYERS"]
    assert layers["default"] == {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": ["redis://127.0.0.1:6379/0"]},
    }
