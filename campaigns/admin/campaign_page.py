"""What the page of a campaign at work shows: figures, funnel, why contacts wait, results, chart, events."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import dropwhile
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.cache import cache
from django.db.models import Count, IntegerField, Value
from django.urls import reverse
from django.utils.timezone import localtime

from calls.enums import label
from campaigns import services
from campaigns.admin.members import detail_words
from campaigns.admin.parts import TONES, badge, micros
from campaigns.admin.words import explain, remedy
from campaigns.breaker import PICKED_UP
from campaigns.enums import CampaignStatus, DialReason, Disposition, FinishReason, MembershipState
from campaigns.errors import CampaignError
from campaigns.gate import Decision
from campaigns.models import CallAnalysis, CallCorrection, Campaign, CampaignAttempt, CampaignContact, CampaignEvent
from campaigns.services import CampaignNumbers

REFRESH_SECONDS = 3
_KEPT_SECONDS = 2
"""How long figures serve all who look; counting a million contacts takes a tenth of a second and more."""
_KEPT_LARGE_SECONDS = 30
_LARGE = 50_000
_EVENTS = 30
_FINE = timedelta(hours=2)
"""A campaign younger than this is drawn by minutes, an older one by hours."""


def address(campaign_id: UUID) -> str:
    """Give the address of a campaign's page."""
    return reverse("admin:campaigns_campaign_page", args=[campaign_id])


def live(campaign: Campaign, *, at: datetime) -> dict[str, Any]:
    """Give what refreshes itself. Figures of large campaigns are up to half a minute old, and say so."""
    key = f"campaign-figures-{campaign.pk}-{campaign.status}"
    kept = cache.get(key)
    if kept is None:
        numbers = services.campaign_numbers(campaign.pk, at=at)
        is_large = numbers.contacts + numbers.attempts > _LARGE
        kept = {
            "numbers": numbers,
            "held": _left_out(campaign) if CampaignStatus(campaign.status).is_over else numbers.held,
            "dispositions": _dispositions(campaign),
            "chart": _chart(campaign, min(at, campaign.finished_at or at)),
            "unpriced": services.unpriced_of(campaign, day=at.date()),
            "at": at,
        }
        cache.set(key, kept, _KEPT_LARGE_SECONDS if is_large else _KEPT_SECONDS)
    numbers = kept["numbers"]
    is_moving = campaign.status in {CampaignStatus.RUNNING, CampaignStatus.PAUSED} or numbers.on_the_line > 0
    return {
        "campaign": campaign,
        "state": badge(str(campaign.get_status_display()), campaign.status),
        "figures": _figures(campaign, numbers),
        "funnel": _funnel(numbers),
        "outcomes": _shares(numbers.outcomes, with_tones=True),
        "dispositions": _shares(kept["dispositions"]),
        "ends": _shares(numbers.finished),
        "is_over": CampaignStatus(campaign.status).is_over,
        "waiting": _waiting(campaign, kept["held"]),
        "blocked": _blocked(numbers),
        "chart": kept["chart"],
        "unpriced": kept["unpriced"],
        "counted_at": kept["at"],
        "numbers_url": reverse("admin:campaigns_campaign_numbers", args=[campaign.pk]),
        "refresh_seconds": REFRESH_SECONDS if is_moving else 0,
    }


def _figures(campaign: Campaign, numbers: CampaignNumbers) -> list[tuple[str, str, str]]:
    """Give name, figure and a remark for each."""
    waiting = numbers.states.get(MembershipState.WAITING, 0)
    done = numbers.states.get(MembershipState.FINISHED, 0)
    rate = "–" if numbers.answer_rate is None else f"{numbers.answer_rate:.0%}"
    budget = micros(numbers.budget_micros)
    return [
        ("On the line", str(numbers.on_the_line), f"at most {campaign.max_concurrent} at once"),
        ("Pace", f"{numbers.calls_last_minute}", f"calls in the last minute, of {campaign.calls_per_minute} allowed"),
        ("Answer rate", rate, f"{numbers.answered:,} of {numbers.rated:,} calls that rang"),
        ("Done with", f"{done:,}", f"of {numbers.contacts:,} contacts; {waiting:,} wait"),
        ("Cost so far", micros(numbers.spent_micros), f"of {budget}" if budget else "no budget is set"),
    ]


def _funnel(numbers: CampaignNumbers) -> list[dict[str, Any]]:
    steps = [
        ("Contacts", numbers.contacts),
        ("Calls made", numbers.attempts),
        ("Answered", numbers.answered),
        ("Persons reached", numbers.reached),
    ]
    most = max([count for _, count in steps], default=0)
    return [{"name": name, "count": count, "percent": count * 100 // most if most else 0} for name, count in steps]


def _shares(counts: dict[Any, int], *, with_tones: bool = False) -> list[dict[str, Any]]:
    total = sum(counts.values())
    rows = sorted(counts.items(), key=lambda item: -item[1])
    return [
        {
            "name": label(word),
            "count": count,
            "percent": count * 100 // total,
            "tone": TONES.get(word, "quiet") if with_tones else "quiet",
        }
        for word, count in rows
        if count
    ]


def _left_out(campaign: Campaign) -> dict[DialReason, int]:
    """Say what still held contacts back when their campaign ended."""
    closed = CampaignContact.objects.filter(campaign=campaign, state=MembershipState.FINISHED).exclude(held_because="")
    counted = closed.filter(finish_reason=FinishReason.CAMPAIGN_OVER).order_by()
    return {DialReason(word): count for word, count in counted.values_list("held_because").annotate(Count("pk"))}


def _waiting(campaign: Campaign, held: dict[DialReason, int]) -> list[dict[str, Any]]:
    """Say why contacts are held back, the most frequent reason first, and what can be done."""
    members = reverse("admin:campaigns_campaigncontact_changelist")
    rows = sorted(held.items(), key=lambda item: -item[1])
    return [
        {
            "words": explain(reason),
            "remedy": remedy(reason),
            "count": count,
            "url": f"{members}?{urlencode({'campaign': campaign.pk, 'held': reason.value})}",
        }
        for reason, count in rows
    ]


def _blocked(numbers: CampaignNumbers) -> dict[str, str] | None:
    return _told(numbers.blocked_by)


def _told(decision: Decision | None) -> dict[str, str] | None:
    return None if decision is None else {"words": explain(decision.reason), "remedy": remedy(decision.reason)}


def _dispositions(campaign: Campaign) -> dict[Disposition, int]:
    judged = CallAnalysis.objects.done().filter(campaign=campaign)
    counts = Counter(dict(judged.order_by().values_list("disposition").annotate(count=Count("*"))))
    # People's corrections are few, and the latest of a call counts.
    made = CallCorrection.objects.filter(field="disposition", analysis__in=judged).order_by("at", "id")
    rows = made.values_list("analysis_id", "analysis__disposition", "value")
    latest = {pk: (said, value) for pk, said, value in rows}
    for said, value in latest.values():
        counts[said] -= 1
        counts[value] += 1
    return {Disposition(word): count for word, count in counts.items() if count}


def chart_options() -> dict[str, Any]:
    """Give how the theme's chart is drawn: whole calls on its axis, and a legend that says which colour is what."""
    grey = {"color": "#6b7280"}
    axis = {"stacked": True, "grid": {"tickWidth": 0}}
    return {
        "animation": False,
        "responsive": True,
        "maintainAspectRatio": False,
        "datasets": {"bar": {"maxBarThickness": 24, "borderRadius": 2}},
        "plugins": {"legend": {"position": "bottom", "labels": {**grey, "boxWidth": 12, "boxHeight": 12}}},
        "scales": {
            "x": {**axis, "ticks": {**grey, "maxTicksLimit": 13, "maxRotation": 0}},
            "y": {**axis, "beginAtZero": True, "ticks": {**grey, "precision": 0}},
        },
    }


def _chart(campaign: Campaign, at: datetime) -> dict[str, Any]:
    """Give the calls of the last hour by minutes, or of the last two days by hours, as the theme's charts take them."""
    is_fine = campaign.started_at is None or at - campaign.started_at < _FINE
    step = timedelta(minutes=1) if is_fine else timedelta(hours=1)
    now = localtime(at)
    last = now.replace(minute=now.minute if is_fine else 0, second=0, microsecond=0)
    counts = _timeline(campaign, [last - step * back for back in range(60 if is_fine else 48, -1, -1)], step)
    moments = list(counts)
    taken = {outcome.value for outcome in PICKED_UP}
    series: dict[str, Callable[[Counter[str]], int]] = {
        "Answered": lambda found: sum(count for outcome, count in found.items() if outcome in taken),
        "On the line": lambda found: found[""],
        "Not answered": lambda found: sum(
            count for outcome, count in found.items() if outcome and outcome not in taken
        ),
    }
    colours = {
        "Answered": "var(--color-primary-600)",
        "On the line": "var(--color-primary-300)",
        "Not answered": "var(--color-base-400)",
    }
    return {
        "labels": [f"{localtime(moment):%H:%M}" for moment in moments],
        "datasets": [
            {
                "label": name,
                "data": [count(counts[moment]) for moment in moments],
                "backgroundColor": colours[name],
                "stack": "calls",
            }
            for name, count in series.items()
        ],
    }


def _timeline(campaign: Campaign, moments: list[datetime], step: timedelta) -> dict[datetime, Counter[str]]:
    """Count outcomes by the step in which their calls began, from the first one with any.

    Each step is a span of an index; truncating moments would compute something of every call.
    """
    attempts = CampaignAttempt.objects.filter(campaign=campaign).order_by()
    spans = [
        attempts.filter(created_at__gte=moment, created_at__lt=moment + step)
        .values_list("outcome")
        .annotate(count=Count("*"), at=Value(index, IntegerField()))
        for index, moment in enumerate(moments)
    ]
    counts = {moment: Counter[str]() for moment in moments}
    for outcome, count, index in spans[0].union(*spans[1:], all=True):
        counts[moments[index]][outcome] += count
    return dict(dropwhile(lambda item: not item[1], counts.items()))


def around(campaign: Campaign) -> dict[str, Any]:
    """Give what does not refresh itself: facts, events, where the contacts are listed."""
    events = CampaignEvent.objects.filter(campaign=campaign).select_related("actor")[:_EVENTS]
    members = reverse("admin:campaigns_campaigncontact_changelist")
    return {
        "events": [
            {"at": event.at, "kind": label_of(event.kind), "actor": event.actor, "detail": detail_words(event.detail)}
            for event in events
        ],
        "evidence": [(name.replace("_", " "), value) for name, value in campaign.pause_evidence.items()],
        "members_url": f"{members}?{urlencode({'campaign': campaign.pk})}",
        "dry_run_url": reverse("admin:campaigns_campaign_dry_run", args=[campaign.pk]),
        "edit_url": reverse("admin:campaigns_campaign_change", args=[campaign.pk]),
    }


def label_of(kind: str) -> str:
    """Give an event's kind as words."""
    return kind.replace("_", " ").capitalize()


def dry_run(campaign: Campaign, *, at: datetime) -> dict[str, Any]:
    """Give whom the campaign would call within the hour, and why not the others."""
    context: dict[str, Any] = {"campaign": campaign, "page_url": address(campaign.pk), "run": None, "problems": ()}
    if CampaignStatus(campaign.status).is_over:
        return context
    try:
        run = services.plan_next_hour(campaign.pk, at=at)
    except CampaignError as error:
        return {**context, "problems": error.problems}
    held = sorted(run.held.items(), key=lambda item: -item[1])
    return {
        **context,
        "run": run,
        "blocked": _told(run.blocked_by),
        "held": [
            {
                "words": explain(reason),
                "remedy": remedy(reason),
                "count": count,
                "samples": run.held_samples.get(reason, ()),
            }
            for reason, count in held
        ],
    }


def preflight(campaign: Campaign, *, at: datetime) -> dict[str, Any]:
    """Give what an operator should know before the start: what forbids it, and what it will be like."""
    found = services.preflight(campaign.pk, at=at)
    held = sorted(found.held.items(), key=lambda item: -item[1])
    return {
        "preflight": found,
        "problems": list(found.problems),
        "held": [
            {"words": explain(reason), "remedy": remedy(reason), "count": count}
            for reason, count in held
            if reason != DialReason.CAMPAIGN_NOT_RUNNING
        ],
        "missing": sorted(found.missing_variables.items(), key=lambda item: -item[1]),
        "duration": span(found.expected_seconds),
        "cost": micros(found.expected_cost_micros),
        "unpriced": found.unpriced,
        "has_budget": campaign.budget_micros is not None,
    }


def span(seconds: float) -> str:
    """Give a length of time in the unit that fits."""
    for size, name in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size * 1.5:
            return f"about {seconds / size:.0f} {name}s"
        if seconds >= size:
            return f"about one {name}"
    return "less than a minute"
