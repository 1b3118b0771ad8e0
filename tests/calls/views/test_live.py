from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from calls import services
from calls.enums import AttemptStatus, SuppressionSource
from calls.errors import TelephonyError
from calls.models import CallAttempt
from calls.sandbox.catalogue import CATALOGUE, PersonaKind
from calls.telephony import carriers
from calls.telephony.carriers import CallOrder, CarrierCall
from tests.calls import phones, rows

pytestmark = pytest.mark.django_db(transaction=True)

PERSONA = reverse("call-persona")


class Switchboard:
    """A carrier that takes every call, or none."""

    def __init__(self) -> None:
        self.orders: list[CallOrder] = []
        self.ended: list[str] = []
        self.failure: TelephonyError | None = None

    def place(self, order: CallOrder) -> CarrierCall:
        self._fail()
        self.orders.append(order)
        return CarrierCall(sid=f"CA{len(self.orders)}", status=AttemptStatus.QUEUED)

    def hang_up(self, sid: str) -> None:
        self._fail()
        self.ended.append(sid)

    def _fail(self) -> None:
        if self.failure:
            raise self.failure


@pytest.fixture
def switchboard(monkeypatch: pytest.MonkeyPatch) -> Switchboard:
    board = Switchboard()
    monkeypatch.setattr(carriers, "_load", lambda _: board)
    return board


def clerk(*codenames: str, is_staff: bool = True) -> Client:
    user = User.objects.create_user("clerk", is_staff=is_staff)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    browser = Client()
    browser.force_login(user)
    return browser


def boss() -> Client:
    browser = Client()
    browser.force_login(User.objects.create_superuser("boss"))
    return browser


def pages(attempt: CallAttempt) -> dict[str, str]:
    return {
        "list": reverse("live-calls"),
        "call": reverse("live-call", args=[attempt.pk]),
        "persona": PERSONA,
        "hang-up": reverse("live-hang-up", args=[attempt.pk]),
    }


def statuses(browser: Client, attempt: CallAttempt) -> dict[str, int]:
    return {
        name: (browser.post(address) if name == "hang-up" else browser.get(address)).status_code
        for name, address in pages(attempt).items()
    }


@pytest.mark.parametrize(
    ("permissions", "is_staff", "seen"),
    [
        ((), True, {"list": 403, "call": 403, "persona": 403, "hang-up": 403}),
        (("view_callattempt", "add_callattempt", "change_callattempt"), False, dict.fromkeys(
            ("list", "call", "persona", "hang-up"), 302)),
        (("view_callattempt",), True, {"list": 200, "call": 200, "persona": 403, "hang-up": 403}),
        (("add_callattempt",), True, {"list": 403, "call": 403, "persona": 200, "hang-up": 403}),
        (("change_callattempt",), True, {"list": 403, "call": 403, "persona": 403, "hang-up": 302}),
    ],
)  # fmt: skip
def test_each_page_has_its_permission(permissions: tuple[str, ...], is_staff: bool, seen: dict[str, int]) -> None:
    assert statuses(clerk(*permissions, is_staff=is_staff), phones.attempt()) == seen


def test_visitors_log_in_first_and_come_back() -> None:
    answer = Client().get(PERSONA)
    assert answer.status_code == 302
    assert answer["Location"] == f"{reverse('admin:login')}?next={PERSONA}"


def test_the_list_shows_who_is_on_the_line_with_their_numbers_masked() -> None:
    browser = boss()
    assert "Nobody is on the line" in browser.get(reverse("live-calls")).content.decode()
    attempt, over = phones.attempt(), phones.attempt("+15005550043")
    services.advance_attempt(over.pk, AttemptStatus.BUSY, at=rows.BEGAN)
    page = browser.get(reverse("live-calls")).content.decode()
    assert "1 on the line" in page
    assert reverse("live-call", args=[attempt.pk]) in page
    assert "+1 ••• ••• ••42" in page
    assert (attempt.to_e164 in page, reverse("live-call", args=[over.pk]) in page) == (False, False)


def test_the_list_asks_the_same_number_of_questions_for_one_and_for_many(
    django_assert_max_num_queries: object,
) -> None:
    browser = boss()
    for line in range(10, 20):
        phones.attempt(f"+150055500{line}")
    with django_assert_max_num_queries(5):  # type: ignore[operator]  # (a fixture without types)
        assert browser.get(reverse("live-calls")).status_code == 200


def test_a_call_is_shown_and_an_unknown_one_is_not_found() -> None:
    browser, attempt = boss(), phones.attempt()
    page = browser.get(reverse("live-call", args=[attempt.pk])).content.decode()
    assert f'data-socket-path="/live/ws/{attempt.pk}"' in page
    assert attempt.to_e164 not in page
    assert browser.get(reverse("live-call", args=[uuid4()])).status_code == 404


def test_a_persona_is_called_through_the_sandbox_and_watched(switchboard: Switchboard, settings: Settings) -> None:
    settings.CARRIER = "twilio"
    agent, browser = rows.agent(is_default=True), boss()
    answer = browser.post(PERSONA, {"persona": "voicemail", "agent": str(agent.pk)})
    attempt = CallAttempt.objects.get()
    assert answer["Location"] == reverse("live-call", args=[attempt.pk])
    assert (attempt.carrier, attempt.to_e164, attempt.status) == ("sandbox", "+15005550106", "queued")
    assert [order.to_e164 for order in switchboard.orders] == ["+15005550106"]


def test_a_number_that_is_suppressed_or_on_the_line_is_passed_over(switchboard: Switchboard) -> None:
    agent, browser = rows.agent(is_default=True), boss()
    services.suppress("+15005550105", source=SuppressionSource.SPOKEN, proof="said so")
    for _ in range(2):
        browser.post(PERSONA, {"persona": "stop_calling", "agent": str(agent.pk)})
    assert [order.to_e164 for order in switchboard.orders] == ["+15015550105", "+15025550105"]


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"persona": "nobody"}, "Choose whom to call"),
        ({"persona": "busy", "agent": "none"}, "Choose whom to call"),
        ({"persona": "busy"}, "the sandbox is not running"),
    ],
)
def test_what_prevents_a_call_is_said_on_the_page(switchboard: Switchboard, choice: dict[str, str], words: str) -> None:
    switchboard.failure = TelephonyError("the sandbox is not running", permanent=False)
    agent = rows.agent(is_default=True)
    answer = boss().post(PERSONA, {"agent": str(agent.pk), **choice})
    assert answer.status_code == 409
    assert words in answer.content.decode()


def test_a_refused_number_has_its_own_page(switchboard: Switchboard) -> None:
    switchboard.failure = TelephonyError("no such number", permanent=True, code=21211)
    answer = boss().post(PERSONA, {"persona": "invalid", "agent": str(rows.agent(is_default=True).pk)})
    attempt = CallAttempt.objects.get()
    assert (answer["Location"], attempt.status) == (reverse("live-call", args=[attempt.pk]), "not-placed")


def test_without_an_agent_the_page_says_what_to_do() -> None:
    page = boss().get(PERSONA).content.decode()
    assert "No agent is published yet" in page
    assert "<form" not in page


def test_every_persona_can_be_chosen() -> None:
    rows.agent(is_default=True)
    page = boss().get(f"{PERSONA}?persona={PersonaKind.NOISE}").content.decode()
    assert all(f'value="{listing.kind}"' in page and listing.title in page for listing in CATALOGUE)
    assert 'value="noise" checked' in page


def test_a_call_is_hung_up_and_a_silent_carrier_is_named(switchboard: Switchboard) -> None:
    browser, attempt = boss(), phones.attempt(carrier_sid="CA7", status=AttemptStatus.IN_PROGRESS)
    address = pages(attempt)
    assert browser.get(address["hang-up"]).status_code == 405
    assert browser.post(address["hang-up"])["Location"] == address["call"]
    assert switchboard.ended == ["CA7"]
    switchboard.failure = TelephonyError("away", permanent=False)
    answer = browser.post(address["hang-up"], follow=True)
    assert "could not be ended" in answer.content.decode()
