"""The telephone network: placing calls through a carrier, and knowing what became of them.

Everything here blocks: a coroutine calls it in a thread.
"""

from calls.telephony.dialling import CallPlan, agent_seconds, longest_seconds, place_call, plan_call
from calls.telephony.operating import end_call, leave_message, release_number
from calls.telephony.reconciling import hang_up, reconcile, sweep_attempts
from calls.telephony.recording import delete_recording, order_recording
from calls.telephony.rescuing import rescue_calls
from calls.telephony.transfers import sweep_transfers

__all__ = [
    "CallPlan",
    "agent_seconds",
    "delete_recording",
    "end_call",
    "hang_up",
    "leave_message",
    "longest_seconds",
    "order_recording",
    "place_call",
    "plan_call",
    "reconcile",
    "release_number",
    "rescue_calls",
    "sweep_attempts",
    "sweep_transfers",
]
