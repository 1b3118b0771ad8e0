"""Turns, events and sound on their way to the disk and the database, behind the calls and never on their audio path."""

from calls.recorder.core import Recorder, recorder
from calls.recorder.sink import CallSink

__all__ = ["CallSink", "Recorder", "recorder"]
