"""What goes up from a call to whoever placed it."""

from django.dispatch import Signal

call_finished = Signal()
"""Sent once per call, after its end is committed. Keyword: ``session_id`` (UUID).

Receivers run on the recorder's writer thread: they must be short. What one raises is logged and stops no other.
"""

attempt_over = Signal()
"""Sent once per telephone call, after its end, in the carrier's word, is committed. Keyword: ``attempt_id`` (UUID).

What a receiver raises is logged and stops no other. It may come before or after ``call_finished`` of the same call.
"""

call_expected = Signal()
"""Sent when the carrier tells that a telephone rings or was answered, in the process that it told. Keyword:
``attempt_id`` (UUID). It may come more than once for a call. Receivers must not wait.
"""

opted_out = Signal()
"""Sent once per number that nobody may dial any more, after that is committed. Keywords: ``e164`` (str), ``source``
(``SuppressionSource``). Receivers are as those of ``call_finished``.
"""
