import json
import math
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.services.cleaning import clean_json, clean_text


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("hello", "hello"),
        ("he\x00llo\x00", "hello"),
        ("\ud800 lone", "\ufffd lone"),
        ("\U0001f600 pair, שלום, 你好", "\U0001f600 pair, שלום, 你好"),
        ("\ud83d\ude00", "\U0001f600"),
        ("", ""),
    ],
)
def test_text_loses_what_a_database_refuses_and_nothing_else(text: str, clean: str) -> None:
    assert clean_text(text) == clean


def test_json_loses_what_a_database_refuses_at_any_depth() -> None:
    dirty = {"a\x00": ["\x00x", {"b": math.nan}, math.inf, (1, 2.5, None, True)], 3: 2**70, "id": UUID(int=7)}
    assert clean_json(dirty) == {
        "a": ["x", {"b": None}, None, [1, 2.5, None, True]],
        "3": str(2**70),
        "id": "00000000-0000-0000-0000-000000000007",
    }


def test_json_that_contains_itself_ends_as_text() -> None:
    loop: dict[str, object] = {}
    loop["again"] = loop
    assert json.dumps(clean_json(loop))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()), st.lists))
def test_whatever_comes_becomes_strict_json(value: object) -> None:
    text = json.dumps(clean_json(value), allow_nan=False)
    assert "\\u0000" not in text
    text.encode()
