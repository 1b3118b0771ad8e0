"""Strict reading of the environment: a value that cannot be read names its variable and the remedy.

Every problem is raised as ``ImproperlyConfigured``; a value that is present but wrong never falls back to a default.
"""

import os
from collections.abc import Mapping

from django.core.exceptions import ImproperlyConfigured

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


class Env:
    """Typed access to a mapping of strings, by default the process's environment."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = os.environ if values is None else values

    def text(self, name: str, default: str = "") -> str:
        """Give the value without surrounding white space; an empty value counts as absent."""
        return self._values.get(name, "").strip() or default

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Give a yes or no."""
        raw = self.text(name).lower()
        if not raw:
            return default
        if raw in _TRUE | _FALSE:
            return raw in _TRUE
        message = f"{name}={raw!r} is not a yes or no; write one of 1, 0, true, false, yes, no, on, off"
        raise ImproperlyConfigured(message)

    def integer(self, name: str, default: int, *, least: int = 0, most: int = 2**31) -> int:
        """Give a whole number within bounds."""
        raw = self.text(name)
        if not raw:
            return default
        try:
            value = int(raw)
        except ValueError:
            message = f"{name}={raw!r} is not a whole number"
            raise ImproperlyConfigured(message) from None
        if least <= value <= most:
            return value
        message = f"{name}={value} is out of range; use {least} to {most}"
        raise ImproperlyConfigured(message)

    def number(self, name: str, default: float, *, least: float = 0.0, most: float = 1e9) -> float:
        """Give a number within bounds."""
        raw = self.text(name)
        if not raw:
            return default
        try:
            value = float(raw)
        except ValueError:
            message = f"{name}={raw!r} is not a number"
            raise ImproperlyConfigured(message) from None
        if least <= value <= most:
            return value
        message = f"{name}={raw} is out of range; use {least} to {most}"
        raise ImproperlyConfigured(message)

    def items(self, name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Give a comma-separated list without its empty items."""
        raw = self.text(name)
        return tuple(item.strip() for item in raw.split(",") if item.strip()) if raw else default

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        """Give one of the words, however it is capitalised."""
        raw = self.text(name, default)
        for word in choices:
            if word.lower() == raw.lower():
                return word
        message = f"{name}={raw!r} is not known; use one of {', '.join(choices)}"
        raise ImproperlyConfigured(message)
