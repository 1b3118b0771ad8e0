"""What a call costs, from dated price rows in millionths of the currency. An item without a row costs nothing."""

import math
from datetime import date

from django.conf import settings
from msgspec import Struct

from calls.engine.agent import AgentSpec
from campaigns.models import PriceRow

_GRACE_SECONDS = 60
"""What the carrier allows beyond the agent's own limit."""
TYPICAL_SECONDS = 120
"""How long an answered call is taken to last where a campaign has no figures of its own."""


class Tariff(Struct, frozen=True, kw_only=True):
    """Prices of one minute on a day."""

    carrier_micros: int
    """Of a minute that has begun, as carriers bill."""
    service_micros: int
    """Of a minute of recogniser, model and voice, by the second."""

    def cost(self, seconds: float) -> int:
        """Give what a call of so many seconds costs."""
        if seconds <= 0:
            return 0
        return self.carrier_micros * math.ceil(seconds / 60) + math.ceil(self.service_micros * seconds / 60)

    def worst(self, spec: AgentSpec) -> int:
        """Give the most that a call with this agent may cost."""
        return self.cost(spec.max_duration_seconds + _GRACE_SECONDS)


def tariff(carrier: str, spec: AgentSpec, *, day: date) -> Tariff:
    """Give the prices of a day: ``<carrier>.minute`` and ``<provider>.minute`` for each that the agent uses."""
    chosen = spec.providers
    names = [
        chosen.stt or settings.DEFAULT_PROVIDERS["stt"],
        chosen.llm or settings.DEFAULT_PROVIDERS["llm"],
        chosen.tts or settings.DEFAULT_PROVIDERS["tts"],
    ]
    carrier_item = f"{carrier or settings.CARRIER}.minute"
    items = {f"{name.partition(':')[0]}.minute" for name in names}
    rows = PriceRow.objects.filter(item__in=items | {carrier_item}, effective_from__lte=day)
    prices = dict(rows.order_by("effective_from").values_list("item", "micros"))
    return Tariff(
        carrier_micros=prices.get(carrier_item, 0),
        service_micros=sum(prices.get(item, 0) for item in items - {carrier_item}),
    )
