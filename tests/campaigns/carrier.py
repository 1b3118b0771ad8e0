"""A carrier in memory, which does what a test tells it."""

from collections import deque
from datetime import datetime

from calls.enums import AttemptStatus
from calls.errors import TelephonyError
from calls.telephony.carriers import CallOrder, CarrierCall


class FakeCarrier:
    """Takes every order, unless it is to raise something; remembers what it was asked for."""

    def __init__(self) -> None:
        self.orders: list[CallOrder] = []
        self.hung_up: list[str] = []
        self.troubles: deque[TelephonyError] = deque()

    def place(self, order: CallOrder) -> CarrierCall:
        if self.troubles:
            raise self.troubles.popleft()
        self.orders.append(order)
        return CarrierCall(sid=f"CA{len(self.orders)}", status=AttemptStatus.QUEUED)

    def fetch(self, sid: str) -> CarrierCall:
        return CarrierCall(sid=sid, status=AttemptStatus.QUEUED)

    def find(self, *, to_e164: str, from_e164: str, since: datetime) -> list[CarrierCall]:
        del to_e164, from_e164, since
        return []

    def hang_up(self, sid: str) -> None:
        self.hung_up.append(sid)

    def update(self, sid: str, *, url: str) -> None:
        raise NotImplementedError(sid, url)

    @property
    def numbers(self) -> list[str]:
        """Whom it was asked to call."""
        return [order.to_e164 for order in self.orders]
