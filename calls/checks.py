"""System checks: everything that an installation lacks, all at once, each with an id and a remedy."""

import ipaddress
import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 (Django's own name)

_LOCAL_PARTS = {"stt": ("pocketsphinx",), "tts": ("espeakng_loader",)}
_SILERO = "calls.providers.vad.SileroDetector"


@register("calls")
def check_providers(app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[CheckMessage]:  # noqa: ARG001 (Django's)
    """Name each chosen provider that is unknown or has no key."""
    # Every process registers the checks; few run them, and the registry brings the audio libraries with it.
    from calls.providers.registry import missing  # noqa: PLC0415

    return [
        Error(problem.remedy, hint=f"See {problem.setting} in docs/operations.md.", id="calls.E001")
        for problem in missing(settings)
    ]


@register("calls")
def check_local_parts(app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[CheckMessage]:  # noqa: ARG001
    """Warn where local speech or the voice activity model is chosen and not installed."""
    found: list[CheckMessage] = []
    for role, parts in _LOCAL_PARTS.items():
        lacking = [part for part in parts if not find_spec(part)]
        if settings.DEFAULT_PROVIDERS[role] == "local" and lacking:
            found.append(
                Warning(
                    f"the local provider is chosen for {role.upper()}, and {', '.join(lacking)} is not installed",
                    hint="pip install -r requirements-local.txt, or set the key of another provider.",
                    id="calls.W001",
                )
            )
    if settings.VOICE_DETECTOR == _SILERO and not find_spec("silero_vad"):
        found.append(
            Warning(
                "silero_vad is not installed; speech is told from noise by its level only",
                hint="pip install --no-deps -r requirements-nodeps.txt",
                id="calls.W002",
            )
        )
    return found


@register("calls")
def check_voice_detector(app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[CheckMessage]:  # noqa: ARG001
    """See that VOICE_DETECTOR names a class of a module that is there; a management command does not load the model."""
    module, _, name = settings.VOICE_DETECTOR.rpartition(".")
    try:
        is_there = bool(module and name and find_spec(module))
    except ImportError:
        is_there = False
    if is_there:
        return []
    return [
        Error(
            f"VOICE_DETECTOR={settings.VOICE_DETECTOR!r} is not there",
            hint=f"Use the dotted path of a class, such as {_SILERO}.",
            id="calls.E002",
        )
    ]


@register(Tags.security)
def check_exposure(app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[CheckMessage]:  # noqa: ARG001
    """Refuse a HOST that others can reach together with DEBUG or calls without a login."""
    if settings.ALLOW_INSECURE_HOST or is_loopback(settings.HOST):
        return []
    reasons = [name for name in ("DEBUG", "WS_ALLOW_ANONYMOUS") if getattr(settings, name)]
    return [
        Error(
            f"HOST={settings.HOST} can be reached from other machines while {name} is on",
            hint=f"Set {name}=0 or HOST=127.0.0.1; in a network that you trust, ALLOW_INSECURE_HOST=1.",
            id="calls.E003",
        )
        for name in reasons
    ]


def is_loopback(host: str) -> bool:
    """Whether only this machine can connect to ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@register("calls")
def check_public_url(app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[CheckMessage]:  # noqa: ARG001
    """See that PUBLIC_URL is an address without a path."""
    try:
        parts = urlsplit(settings.PUBLIC_URL)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_address = False
    if is_address and parts.path in {"", "/"} and not parts.query and not parts.fragment and not parts.username:
        return []
    return [
        Error(
            f"PUBLIC_URL={settings.PUBLIC_URL!r} is not an address",
            hint="Write scheme and host, and the port where it is not the usual one: https://calls.example.com",
            id="calls.E004",
        )
    ]


@register("calls")
def check_data_dir(app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[CheckMessage]:  # noqa: ARG001
    """See that DATA_DIR, or the folder in which it will be made, can be written to."""
    folder = Path(settings.DATA_DIR).absolute()
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    if existing.is_dir() and os.access(existing, os.W_OK | os.X_OK):
        return []
    return [
        Error(
            f"DATA_DIR={folder} cannot be written to",
            hint=f"Give the user of this process the right to write to {existing}, or set DATA_DIR to another folder.",
            id="calls.E005",
        )
    ]


@register("calls")
def check_fallback_lines(app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[CheckMessage]:  # noqa: ARG001
    """See that there is something to say when a provider fails."""
    return [
        Error(
            f"FALLBACK_LINE_{number} is empty",
            hint="Write a sentence that is spoken when a provider fails, or leave the variable out.",
            id="calls.E006",
        )
        for number, line in enumerate(settings.FALLBACK_LINES, 1)
        if not line.strip()
    ]


@register("calls")
def check_carrier(app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[CheckMessage]:  # noqa: ARG001
    """See that the chosen carrier has what it needs, and can reach us."""
    name = settings.CARRIER
    if not name:
        return []
    if name not in settings.CARRIERS:
        hint = f"Use one of {', '.join(settings.CARRIERS)}, or leave the variable out."
        return [Error(f"CARRIER={name!r} is not known", hint=hint, id="calls.E007")]
    if name != "twilio":
        return []
    needed = ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_PHONE_NUMBER")
    found: list[CheckMessage] = [
        Error(f"{variable} is not set", hint="Twilio's console shows it; see docs/operations.md.", id="calls.E008")
        for variable in needed
        if not getattr(settings, variable)
    ]
    host = urlsplit(settings.PUBLIC_URL)
    if host.scheme != "https" or is_loopback(host.hostname or ""):
        found.append(
            Warning(
                f"Twilio cannot reach PUBLIC_URL={settings.PUBLIC_URL}: its webhooks and media streams need https",
                hint="Put a proxy or a tunnel with a certificate in front, and set PUBLIC_URL to its address.",
                id="calls.W003",
            )
        )
    return found
