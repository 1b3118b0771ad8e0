"""What goes up from a call to whoever placed it."""

from django.dispatch import Signal

call_finished = Signal()
"""Sent once per call, after its end is committed. Keyword: ``session_id`` (UUID).

Receivers run on the recorder's writer thread: they must be short. What one raises is logged and stops no other.
"""
