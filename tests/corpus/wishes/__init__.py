"""Labelled sayings: does the caller ask for no more calls, or not to be recorded? As a recogniser gives them.

``dev`` was in view when the phrases of ``calls.engine.wishes`` were written, ``test`` was written before them and then
left alone.
"""

from pathlib import Path
from typing import Literal

Half = Literal["dev", "test"]


def load(half: Half) -> tuple[tuple[str, str], ...]:
    """Give the pairs of label (``no_calls``, ``no_recording`` or ``-``) and words of one half."""
    lines = Path(__file__).with_name(f"{half}.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split(" ", 1) for line in lines if line and not line.startswith("#"))
    return tuple((label, words) for label, words in pairs)
