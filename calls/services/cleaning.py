"""What a database can hold: PostgreSQL refuses NUL in text and NaN in JSON, every encoder refuses lone surrogates."""

import math
from collections.abc import Mapping
from typing import Any

_LARGEST = 2**53
"""JSON numbers above it lose digits in most readers, and a 64 bit column ends soon after."""
_DEEPEST = 20


def clean_text(text: str) -> str:
    """Drop NUL and put a replacement character for each lone surrogate."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def clean_json(value: Any, depth: int = 0) -> Any:
    """Give ``value`` as JSON that every database takes; what has no JSON form becomes its text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return _clean_number(value)
    if isinstance(value, Mapping) and depth < _DEEPEST:
        return {clean_text(str(key)): clean_json(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset) and depth < _DEEPEST:
        return [clean_json(item, depth + 1) for item in value]
    return clean_text(str(value))


def _clean_number(value: float) -> float | str | None:
    if not math.isfinite(value):
        return None
    if isinstance(value, int):
        return int(value) if abs(value) <= _LARGEST else str(value)
    return float(value)
