import asyncio
import json
import logging
import sys

import pytest

from vantum.logs import JsonFormatter, TextFormatter, call_log, current_call, logging_config, redact, without_trace


def record(message: str, *args: object, failed: bool = False) -> logging.LogRecord:
    exc_info = None
    if failed:
        try:
            raise ValueError("called +14155550123")  # noqa: EM101, TRY003, TRY301 (the text is what is tested)
        except ValueError:
            exc_info = sys.exc_info()
    return logging.LogRecord("calls.runner", logging.INFO, __file__, 1, message, args, exc_info)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dialling +14155550123 now", "dialling ***23 now"),
        ("dialling +44 20 7946 0958", "dialling ***58"),
        ("to (415) 555-0123.", "to ***23."),
        ("to 415-555-0123", "to ***23"),
        ("to 4155550123", "to ***23"),
        ("Authorization: Bearer abc.def-123456", "Authorization: Bearer ***"),
        ("Authorization: Token 0123456789abcdef", "Authorization: Token ***"),
        ("api_key=0123456789abcdef&x=1", "api_key=***&x=1"),
        ('{"password": "hunter22"}', '{"password": "***"}'),
        ("key sk-proj-abcdefgh12345678", "key ***"),
        ("postgres://user:secret@db/x", "postgres://user:***@db/x"),
    ],
)
def test_numbers_and_keys_are_masked(text: str, expected: str) -> None:
    assert redact(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "call 019384b1-1234-7890-8123-456789012345 ended",
        "took 1250 ms, 8000 Hz, 192000 bytes",
        "at 1763712000123",
        "at 1763712000",
        "127.0.0.1:8000",
        "2026-11-21 08:07:44",
        "token budget of 8000",
    ],
)
def test_ids_times_and_sizes_stay_readable(text: str) -> None:
    assert redact(text) == text


def test_a_line_names_time_level_logger_and_call() -> None:
    with call_log("call-7"):
        line = TextFormatter().format(record("call began by %s", "console"))
    assert line.split(" ", 1)[1] == "INFO    calls.runner [call-7] call began by console"
    assert len(line.split(" ", 1)[0]) == len("12:00:01.250")


def test_a_message_is_one_line() -> None:
    assert TextFormatter().format(record("first\nsecond")).endswith("calls.runner first ⏎ second")


def test_a_traceback_is_masked_too() -> None:
    text = TextFormatter().format(record("failed", failed=True))
    assert text.endswith("ValueError: called ***23")


def test_json_lines_hold_one_object_each() -> None:
    with call_log("call-7"):
        line = JsonFormatter().format(record("to +14155550123", failed=True))
    fields = json.loads(line)
    assert fields.pop("time").endswith("+00:00")
    assert fields.pop("exception").endswith("ValueError: called ***23")
    assert fields == {"level": "INFO", "logger": "calls.runner", "message": "to ***23", "call": "call-7"}
    assert "\n" not in line


async def test_the_call_is_known_in_tasks_of_the_call_and_in_no_other() -> None:
    async def see() -> str:
        return current_call()

    with call_log("a"):
        inside = asyncio.create_task(see())
    outside = asyncio.create_task(see())
    assert (await inside, await outside) == ("a", "")


@pytest.mark.parametrize(("log_format", "formatter"), [("text", TextFormatter), ("json", JsonFormatter)])
def test_the_format_is_a_setting(log_format: str, formatter: type) -> None:
    config = logging_config("DEBUG", log_format)
    assert config["formatters"] == {"line": {"()": formatter}}
    assert config["loggers"]["calls"] == {"level": "DEBUG"}


@pytest.mark.parametrize(("level", "is_traced"), [(logging.WARNING, False), (logging.ERROR, True)])
def test_a_refusal_brings_no_traceback_and_a_failure_does(level: int, is_traced: bool) -> None:
    made = record("Forbidden", failed=True)
    made.levelno = level
    assert without_trace(made)
    assert (made.exc_info is not None) is is_traced
    assert logging_config("INFO", "text")["loggers"]["django.request"] == {"filters": ["without_trace"]}
