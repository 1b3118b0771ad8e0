"""What a call costs, from dated price rows in millionths of the currency. An item without a row costs nothing."""

import math
from contextlib import suppress
from datetime import date

from django.conf import settings
from msgspec import Struct

from calls import services as call_services
from calls import telephony
from calls.engine.agent import AgentSpec
from calls.errors import AgentError
from calls.models import Agent
from campaigns.models import Campaign, PriceRow

FREE = frozenset({"local.minute", "sandbox.minute", "scripted.minute"})
"""What runs on this machine alone: nobody bills it, and no price is missed."""
_MOST_AGENTS = 50
TYPICAL_SECONDS = 120
"""How long an answered call is taken to last where a campaign has no figures of its own."""


class Tariff(Struct, frozen=True, kw_only=True):
    """Prices of one minute on a day."""

    carrier_micros: int
    """Of a minute that has begun, as carriers bill."""
    service_micros: int
    """Of a minute of recogniser, model and voice, by the second."""
    unpriced: tuple[str, ...] = ()
    """Items that somebody bills and that have no price on the day."""

    def cost(self, seconds: float, spec: AgentSpec) -> int:
        """Give what a call of so many seconds costs. Beyond the agent's limit only a colleague is on the line."""
        if seconds <= 0:
            return 0
        served = min(seconds, telephony.agent_seconds(spec))
        return self.carrier_micros * math.ceil(seconds / 60) + math.ceil(self.service_micros * served / 60)

    def worst(self, spec: AgentSpec) -> int:
        """Give the most that a call with this agent may cost."""
        return self.cost(telephony.longest_seconds(spec), spec)


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
    used = items | {carrier_item}
    rows = PriceRow.objects.filter(item__in=used, effective_from__lte=day)
    prices = dict(rows.order_by("effective_from").values_list("item", "micros"))
    return Tariff(
        carrier_micros=prices.get(carrier_item, 0),
        service_micros=sum(prices.get(item, 0) for item in items - {carrier_item}),
        unpriced=tuple(sorted(used - prices.keys() - FREE)),
    )


def spec_of(campaign: Campaign) -> AgentSpec | None:
    """Give the agent that calls, or would: the fixed version, else the published one; None where it is unusable."""
    try:
        if campaign.agent_version_id is not None:
            return call_services.load_version(campaign.agent_version_id).spec
        return call_services.load_agent(str(campaign.agent_id)).spec
    except AgentError:
        return None


def unpriced_of(campaign: Campaign, *, day: date) -> tuple[str, ...]:
    """Give what a campaign uses, somebody bills, and no price row tells the price of."""
    spec = spec_of(campaign)
    return () if spec is None else tariff(campaign.carrier, spec, day=day).unpriced


def unpriced_items(*, day: date) -> tuple[str, ...]:
    """Give the same for the installation: its carrier with each published agent."""
    found: set[str] = set()
    for agent_id in Agent.objects.callable().values_list("pk", flat=True)[:_MOST_AGENTS]:
        with suppress(AgentError):
            found.update(tariff("", call_services.load_agent(str(agent_id)).spec, day=day).unpriced)
    return tuple(sorted(found))
