"""An operator's orders for calls on the line, from the admin to the carrier's next question."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from calls import services
from calls.engine.toolspec import Destination
from calls.enums import OperatorOrder
from calls.models import Agent, CallAttempt
from calls.services import StreamGrant
from calls.telephony import twiml
from calls.views import webhooks
from tests.calls import phones, rows
from tests.simulators.twilio import Reply, SimulatedCall, Trouble, TwilioSimulator
from vantum.audit import values_of

pytestmark = pytest.mark.django_db

LIST = reverse("admin:calls_callattempt_changelist")
HANG_UP = Reply(200, twiml.hang_up())


@pytest.fixture(autouse=True)
def _no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "END_WAIT_SECONDS", 0.0)


def act(action: str) -> str:
    """Choose the only call and do this to it; give the page that follows."""
    client = Client()
    client.force_login(get_user_model().objects.get_or_create(username="op", is_staff=True, is_superuser=True)[0])
    chosen = str(CallAttempt.objects.get().pk)
    return client.post(LIST, {"action": action, "_selected_action": chosen}, follow=True).content.decode()


def with_message(text: str) -> None:
    agent = Agent.objects.get()
    agent.voicemail_message = text
    agent.save()
    services.publish_agent(agent)
    agent.refresh_from_db()
    CallAttempt.objects.update(agent_version=agent.published_id)


def test_a_call_is_hung_up_and_goes_nowhere_after_it(call: SimulatedCall) -> None:
    asked = re.findall(r"<Redirect[^>]*>([^<]+)<", call.answer().text)[0].replace("&amp;", "&")
    assert "is being ended" in act("end_call")
    assert call.status == "completed"
    assert CallAttempt.objects.get().order == OperatorOrder.HANG_UP
    assert call.ask(asked) == HANG_UP


def test_the_voicemail_message_is_left_on_a_stream_of_its_own(call: SimulatedCall) -> None:
    call.answer()
    with_message("Please call us back.")
    assert "The message is being left" in act("leave_message")
    [address] = call.redirects
    assert "<Stream " in call.ask(address).text
    plan = services.load_attempt_call(StreamGrant(CallAttempt.objects.get().pk, 2))
    assert (plan.last_line, plan.history) == ("Please call us back.", ())
    assert "there is an order for this call already" in act("leave_message")


def test_what_cannot_be_ordered_is_said(call: SimulatedCall) -> None:
    assert "nobody is on the line" in act("leave_message")
    call.answer()
    assert "has no voicemail message" in act("leave_message")
    with_message("Please call us back.")
    desk = Destination(name="sales", e164="+15005550043")
    services.open_transfer(CallAttempt.objects.get().pk, desk, at=rows.BEGAN)
    assert "is being transferred" in act("leave_message")
    call.end()
    assert "this call is over" in act("end_call")


def test_a_carrier_that_does_not_answer_is_told(call: SimulatedCall, twilio: TwilioSimulator) -> None:
    call.answer()
    twilio.troubles.append(Trouble(status=503))
    assert "Twilio answered 503" in act("end_call")


def test_who_may_only_look_has_no_orders(call: SimulatedCall) -> None:
    call.answer()
    reader = get_user_model().objects.create_user("reader", is_staff=True)
    reader.user_permissions.set(
        [permission for permission in _permissions() if permission.codename == "view_callattempt"]
    )
    client = Client()
    client.force_login(reader)
    client.post(LIST, {"action": "end_call", "_selected_action": str(CallAttempt.objects.get().pk)})
    assert (call.status, CallAttempt.objects.get().order) == ("in-progress", "")


def _permissions() -> list[Permission]:
    return list(Permission.objects.all())


# --- a carrier that was taken away ------------------------------------------------------------------------------------


def release(attempt: CallAttempt, reason: str, *, may: bool = True) -> tuple[int, str]:
    """Close a call with a reason; give the status and the page that follows."""
    client = Client()
    user = get_user_model().objects.get_or_create(username="op", is_staff=True)[0]
    codes = ["view_callattempt", *(["change_callattempt"] if may else [])]
    user.user_permissions.set(Permission.objects.filter(codename__in=codes))
    client.force_login(user)
    address = reverse("admin:calls_callattempt_release", args=[attempt.pk])
    shown = client.get(address)
    answer = client.post(address, {"reason": reason}, follow=True)
    return shown.status_code, answer.content.decode()


def test_an_operator_closes_the_call_of_a_carrier_that_is_gone_and_says_why() -> None:
    attempt = phones.attempt(status="unknown", carrier="pigeons", at=datetime.now(UTC) - timedelta(hours=6))
    page = reverse("admin:calls_callattempt_change", args=[attempt.pk])
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("boss"))
    assert reverse("admin:calls_callattempt_release", args=[attempt.pk]) in client.get(page).content.decode()
    assert "Write why" in release(attempt, " ")[1]
    assert not LogEntry.objects.exists()
    assert "can be called again" in release(attempt, "not in the carrier's list")[1]
    attempt.refresh_from_db()
    assert (attempt.status, attempt.is_over) == ("failed", True)
    assert "not in the carrier" in attempt.error
    entry = LogEntry.objects.get()
    assert (entry.user.username, entry.object_id) == ("op", str(attempt.pk))
    assert values_of(entry.change_message) == {
        "status": ["unknown", "failed"],
        "reason": ["", "not in the carrier's list"],
    }
    assert phones.attempt().to_e164 == attempt.to_e164, "its number may be called again"
    assert "this call is over" in release(attempt, "again")[1]
    assert LogEntry.objects.count() == 1


def test_a_call_that_was_answered_counts_as_held() -> None:
    early = datetime.now(UTC) - timedelta(hours=6)
    attempt = phones.attempt(status="in-progress", carrier="pigeons", at=early, answered_at=early)
    release(attempt, "the contract has ended")
    attempt.refresh_from_db()
    assert attempt.status == "completed"


@pytest.mark.parametrize(
    ("carrier", "hours", "words"),
    [("twilio", 6, "is set up, and is asked"), ("pigeons", 4, "may still be on the line")],
)
def test_a_call_that_may_ring_or_can_be_asked_about_stays(
    carrier: str, hours: int, words: str, twilio: TwilioSimulator
) -> None:
    attempt = phones.attempt(status="unknown", carrier=carrier, at=datetime.now(UTC) - timedelta(hours=hours))
    assert words in release(attempt, "impatience")[1]
    attempt.refresh_from_db()
    assert (attempt.status, twilio.requests) == ("unknown", [])


def test_who_may_only_look_closes_nothing() -> None:
    attempt = phones.attempt(status="unknown", carrier="pigeons", at=datetime.now(UTC) - timedelta(hours=6))
    assert release(attempt, "curiosity", may=False)[0] == 403
    attempt.refresh_from_db()
    assert attempt.status == "unknown"
