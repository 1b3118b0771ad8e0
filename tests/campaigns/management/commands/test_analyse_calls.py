from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from uuid_utils.compat import uuid7

from campaigns.enums import AnalysisStatus
from campaigns.models import CallAnalysis
from tests.calls import rows

pytestmark = pytest.mark.django_db


def run(*options: str) -> str:
    out = StringIO()
    call_command("analyse_calls", *options, stdout=out)
    return out.getvalue()


def test_old_calls_are_left_to_the_workers() -> None:
    rows.ended_call(with_agent=rows.agent())
    rows.ended_call()
    assert run("--all") == "1 calls wait to be judged; the workers take them a hundred at a time.\n"
    assert list(CallAnalysis.objects.values_list("status", flat=True)) == [AnalysisStatus.WAITING]


def test_calls_can_be_judged_here_from_a_day_on() -> None:
    agent = rows.agent()
    rows.ended_call(with_agent=agent, began=rows.BEGAN - timedelta(days=1))
    call = rows.ended_call(with_agent=agent)
    assert run("--since", f"{rows.BEGAN:%Y-%m-%d}", "--now") == "1 of 1 judged\n"
    assert list(CallAnalysis.objects.done().values_list("pk", flat=True)) == [call.pk]


def test_a_campaign_without_calls_has_none_to_judge() -> None:
    rows.ended_call(with_agent=rows.agent())
    assert run("--campaign", str(uuid7())).startswith("0 calls")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [((), "say which"), (("--since", "yesterday"), "2026-11-24"), (("--campaign", "spring"), "campaign's id")],
)
def test_what_cannot_be_understood_is_refused_with_the_remedy(options: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint):
        run(*options)
