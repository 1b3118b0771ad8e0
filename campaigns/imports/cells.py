"""Cells as text: made plain when they come from a spreadsheet, made harmless before they go to one."""

import re
from datetime import date, datetime, time
from typing import Any

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_WRAPPED = re.compile(r'="([^"]*)"\Z')
_INTEGER_BELOW = 10**15
"""Above it a spreadsheet's number no longer holds every digit."""
_SCIENTIFIC = re.compile(r"(\d)[.,]?(\d*)[eE]\+?(\d{1,2})\Z")


def text_of(value: Any) -> str:
    """Give a spreadsheet's cell as text: a number with all its digits, a moment as ISO 8601."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < _INTEGER_BELOW:
        return str(int(value))
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return plain(str(value))


def plain(text: str) -> str:
    """Take away white space, and what spreadsheets put around a text so that it stays one: ``="0123"`` and ``'+1``."""
    text = text.strip().strip("\ufeff\u200b\u200e\u200f\u202a\u202c").strip()
    if wrapped := _WRAPPED.match(text):
        return wrapped[1].strip()
    if text.startswith("'") and text[1:2] in _FORMULA_STARTS:
        return text[1:]
    return text


def defused(text: str) -> str:
    """Give a text that no spreadsheet takes for a formula; ``plain`` gives the text back."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def expanded(text: str) -> str | None:
    """Give a number that a spreadsheet wrote as ``4.1555501234E+10`` in full; None where its digits are lost.

    What is no such number comes back as it is.
    """
    found = _SCIENTIFIC.match(text.strip())
    if found is None:
        return text
    whole, decimals, power = found[1], found[2], int(found[3])
    # Fewer decimals than places: the rest was rounded away, or was zeros; nobody can tell.
    return whole + decimals if len(decimals) == power else None
