from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from calls import checks


def ids() -> list[str]:
    return sorted(str(message.id) for message in run_checks() if str(message.id).startswith("calls."))


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Act as if these modules were not installed."""

    def hide(*modules: str) -> None:
        def find(name: str) -> Any:
            return None if name in modules else find_spec(name)

        monkeypatch.setattr(checks, "find_spec", find)

    return hide


def test_an_installation_as_it_comes_has_nothing_to_complain_about() -> None:
    assert ids() == []


def test_everything_that_is_missing_is_named_at_once(settings: Settings, tmp_path: Path) -> None:
    settings.DEFAULT_PROVIDERS = {"stt": "deepgram", "llm": "nobody", "tts": "cartesia"}
    settings.VOICE_DETECTOR = "no.such.Detector"
    settings.HOST, settings.DEBUG, settings.WS_ALLOW_ANONYMOUS = "0.0.0.0", True, True  # noqa: S104 (not bound)
    settings.PUBLIC_URL = "calls.example.com"
    (tmp_path / "file").touch()
    settings.DATA_DIR = tmp_path / "file" / "var"
    settings.FALLBACK_LINES = ("Sorry.", "", " ")
    assert ids() == [
        *("calls.E001", "calls.E001", "calls.E001"),
        "calls.E002",
        *("calls.E003", "calls.E003"),
        "calls.E004",
        "calls.E005",
        *("calls.E006", "calls.E006"),
    ]


def test_a_provider_without_its_key_names_the_key(settings: Settings) -> None:
    settings.DEFAULT_PROVIDERS = {"stt": "deepgram", "llm": "scripted", "tts": "scripted"}
    (message,) = checks.check_providers(None)
    assert "set DEEPGRAM_API_KEY" in message.msg


def test_local_speech_that_is_not_installed_is_a_warning(settings: Settings, without: Callable[..., None]) -> None:
    settings.DEFAULT_PROVIDERS = {"stt": "local", "llm": "local", "tts": "local"}
    without("pocketsphinx", "espeakng_loader", "silero_vad")
    assert [(message.id, message.msg) for message in checks.check_local_parts(None)] == [
        ("calls.W001", "the local provider is chosen for STT, and pocketsphinx is not installed"),
        ("calls.W001", "the local provider is chosen for TTS, and espeakng_loader is not installed"),
        ("calls.W002", "silero_vad is not installed; speech is told from noise by its level only"),
    ]


def test_parts_that_nobody_chose_are_not_missed(settings: Settings, without: Callable[..., None]) -> None:
    settings.VOICE_DETECTOR = "calls.providers.vad.EnergyDetector"
    without("pocketsphinx", "espeakng_loader", "silero_vad")
    assert checks.check_local_parts(None) == []


@pytest.mark.parametrize(
    ("host", "allowed", "expected"),
    [
        ("127.0.0.1", False, 0),
        ("localhost", False, 0),
        ("::1", False, 0),
        ("127.0.0.2", False, 0),
        ("0.0.0.0", False, 2),  # noqa: S104 (not bound)
        ("192.168.1.5", False, 2),
        ("calls.example.com", False, 2),
        ("0.0.0.0", True, 0),  # noqa: S104 (not bound)
    ],
)
def test_debug_and_anonymous_calls_stay_on_this_machine(
    settings: Settings,
    host: str,
    allowed: bool,
    expected: int,
) -> None:
    settings.HOST, settings.DEBUG, settings.WS_ALLOW_ANONYMOUS = host, True, True
    settings.ALLOW_INSECURE_HOST = allowed
    assert [message.id for message in checks.check_exposure(None)] == ["calls.E003"] * expected


def test_a_host_that_others_reach_is_fine_without_debug(settings: Settings) -> None:
    settings.HOST, settings.DEBUG, settings.WS_ALLOW_ANONYMOUS = "0.0.0.0", False, False  # noqa: S104 (not bound)
    assert checks.check_exposure(None) == []


@pytest.mark.parametrize("url", ["https://calls.example.com", "http://localhost:8000", "http://[::1]:8000/"])
def test_an_address_is_a_public_url(settings: Settings, url: str) -> None:
    settings.PUBLIC_URL = url
    assert checks.check_public_url(None) == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "calls.example.com",
        "ftp://x",
        "https://",
        "http://x:port",
        "http://x/path",
        "http://x?y",
        "http://u:p@x",
        "http://[x",
    ],
)
def test_anything_else_is_not(settings: Settings, url: str) -> None:
    settings.PUBLIC_URL = url
    assert [message.id for message in checks.check_public_url(None)] == ["calls.E004"]


def test_a_data_folder_that_will_be_made_is_fine(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path / "not" / "yet"
    assert checks.check_data_dir(None) == []


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, []),
        ({"CARRIER": "pigeons"}, ["calls.E007"]),
        ({"CARRIER": "another", "PUBLIC_URL": "http://localhost"}, []),
        ({"TWILIO_AUTH_TOKEN": "", "TWILIO_PHONE_NUMBER": ""}, ["calls.E008", "calls.E008"]),
        ({"PUBLIC_URL": "http://calls.example.com"}, ["calls.W003"]),
        ({"PUBLIC_URL": "https://127.0.0.1"}, ["calls.W003"]),
    ],
)
def test_a_carrier_needs_its_keys_and_an_address_that_it_can_reach(
    settings: Settings, changes: dict[str, str], found: list[str]
) -> None:
    settings.CARRIER, settings.PUBLIC_URL = "twilio", "https://calls.example.com"
    settings.CARRIERS = {**settings.CARRIERS, "another": "path"}
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN, settings.TWILIO_PHONE_NUMBER = "AC1", "x", "+15005550006"
    for name, value in changes.items():
        setattr(settings, name, value)
    assert ids() == found
