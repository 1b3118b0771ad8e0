"""Memory that would be taken for nothing, left or given back."""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_psycopg() -> Iterator[None]:
    """Let what is imported in the block find no driver of PostgreSQL, unless it is there already.

    The admin's theme takes any driver that is installed (9 MB) for form fields of types that only PostgreSQL has; no
    model here uses one, and with SQLite nobody else asks for it.
    """
    if "psycopg" in sys.modules:
        yield
        return
    sys.modules["psycopg"] = None  # type: ignore[assignment]  # (an import of it now fails, as if it were not installed)
    try:
        yield
    finally:
        del sys.modules["psycopg"]


def give_back() -> None:
    """Return to the system what starting up took and freed; does nothing with a C library that keeps it."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
