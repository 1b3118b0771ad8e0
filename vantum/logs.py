"""Log lines: the call's id on each, no phone number and no key in any, as text or as JSON.

What callers and agents say never reaches a log message; the redaction here is the net below that rule.
"""

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

_call_id: ContextVar[str] = ContextVar("call_id", default="")

# A number is masked as E.164, as people write it, or bare where it can be North American; the hyphens guard UUIDs.
_PHONE = re.compile(
    r"(?<![\w.-])(?:\+\d[\d ().-]{5,17}\d|\(\d{3}\) ?\d{3}[-. ]\d{4}|\d{3}[-. ]\d{3}[-. ]\d{4}|1?[2-9]\d\d[2-9]\d{6})"
    r"(?![\w-])"
)
_KEY = re.compile(
    r"(?i)\b(bearer\s+|authorization[\"']?\s*[=:]\s*[\"']?(?:token|basic|bearer)\s+"
    r"|(?:api[-_]?key|token|secret|password|authorization)[\"']?\s*[=:]\s*[\"']?)"
    r"(?!(?:bearer|token|basic)\s)[\w.~+/=-]{6,}"
)
_BARE_KEY = re.compile(r"\bsk[-_][\w-]{8,}")
_URL_PASSWORD = re.compile(r"(://[^\s:/@]*):[^\s/@]+@")


def redact(text: str) -> str:
    """Mask phone numbers (the last two digits stay), keys, and passwords in URLs."""
    text = _URL_PASSWORD.sub(r"\1:***@", text)
    text = _BARE_KEY.sub("***", text)
    text = _KEY.sub(r"\1***", text)
    return _PHONE.sub(lambda match: f"***{match.group()[-2:]}", text)


@contextmanager
def call_log(call_id: object) -> Iterator[None]:
    """Put the call's id on every line logged inside, also by tasks that are started inside."""
    token = _call_id.set(str(call_id))
    try:
        yield
    finally:
        _call_id.reset(token)


def current_call() -> str:
    """Give the id of the call this code runs for; empty outside of calls."""
    return _call_id.get()


class TextFormatter(logging.Formatter):
    """``12:00:01.250 INFO  calls.runner [call] message``: one line, and an exception's traceback below it."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the redacted text of one record."""
        return redact(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the base class's name)
        """Give the record's own line."""
        at = datetime.fromtimestamp(record.created, UTC).astimezone()
        call = f" [{current}]" if (current := current_call()) else ""
        message = record.message.replace("\n", " ⏎ ")
        return f"{at:%H:%M:%S}.{at.microsecond // 1000:03d} {record.levelname:<7} {record.name}{call} {message}"


class JsonFormatter(logging.Formatter):
    """One JSON object a line, for log collectors."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the redacted object of one record; ``call`` and ``exception`` where there are any."""
        fields: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        if call := current_call():
            fields["call"] = call
        if record.exc_info:
            fields["exception"] = redact(self.formatException(record.exc_info))
        return json.dumps(fields, ensure_ascii=False)


def without_trace(record: logging.LogRecord) -> bool:
    """Leave the traceback off what is no failure: a page that is closed to somebody, or that is not there."""
    if record.levelno < logging.ERROR:
        record.exc_info = None
    return True


def logging_config(level: str, log_format: str) -> dict[str, Any]:
    """Give Django's ``LOGGING``: everything to standard error, vendors' chatter from WARNING on."""
    formatter = JsonFormatter if log_format == "json" else TextFormatter
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": formatter}},
        "filters": {"without_trace": {"()": lambda: without_trace}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "vantum": {"level": level},
            "calls": {"level": level},
            "campaigns": {"level": level},
            "celery": {"level": "WARNING"},
            # Django's own entry would print a second time below DEBUG.
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "django.request": {"filters": ["without_trace"]},
            "django.channels.server": {"level": "WARNING"},
            "uvicorn": {"level": "WARNING"},
        },
    }
