"""The telephone network: placing calls through a carrier, and knowing what became of them.

Everything here blocks: a coroutine calls it in a thread.
"""

from calls.telephony.dialling import CallPlan, place_call, plan_call
from calls.telephony.reconciling import hang_up, reconcile, sweep_attempts
from calls.telephony.rescuing import rescue_calls

__all__ = ["CallPlan", "hang_up", "place_call", "plan_call", "reconcile", "rescue_calls", "sweep_attempts"]
