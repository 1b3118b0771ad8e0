import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from calls.enums import SuppressionSource
from calls.models import CallAttempt
from calls.services import suppress
from calls.telephony import reconciling
from campaigns.management.commands import place_call
from campaigns.models import ComplianceRule
from tests.calls import rows
from tests.calls.phones import OUR_NUMBER, SOMEBODY
from tests.campaigns.rows import make_contact
from tests.simulators.twilio import Trouble, TwilioSimulator

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _agent() -> None:
    rows.agent(is_default=True, opening="Hello {{name|there}}!")
    # A place without rules: the hour at which the test runs must not matter.
    ComplianceRule.objects.all().delete()
    make_contact(SOMEBODY, time_zone="UTC")


class Clock:
    """What happens to the call while the command waits: a step at each of its looks, empty where nothing does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, twilio: TwilioSimulator, *steps: str) -> None:
        self._twilio = twilio
        self._steps = list(steps)
        self._seconds = 0.0
        monkeypatch.setattr(f"{place_call.__name__}.sleep", self._sleep)
        monkeypatch.setattr(f"{place_call.__name__}.monotonic", lambda: self._seconds)

    def _sleep(self, _seconds: float) -> None:
        self._seconds += 30
        step = self._steps.pop(0)
        if step == "interrupt":
            raise KeyboardInterrupt
        if step:
            getattr(self._twilio.call, step)()


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("place_call", *arguments, stdout=out, stderr=out)
    return re.sub(r" +\d+\.\d s ", "", out.getvalue())


def test_a_call_is_asked_for_placed_and_followed(twilio: TwilioSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def agree(prompt: str) -> str:
        asked.append(prompt)
        return "y"

    monkeypatch.setattr("builtins.input", agree)
    Clock(monkeypatch, twilio, "start", "", "ring", "answer", "end")
    assert run(SOMEBODY, "--var", "name=Bo = Bo").splitlines() == [
        f"Ada calls {SOMEBODY} from {OUR_NUMBER}.",
        "  name = Bo = Bo",
        *(f" {status}" for status in ("queued", "initiated", "ringing", "in-progress")),
        " completed    42 s on the line",
    ]
    assert len(asked) == 1
    assert CallAttempt.objects.get().variables == {"name": "Bo = Bo", "phone": SOMEBODY}


@pytest.mark.parametrize("answer", ["", "n", "no", "maybe"])
def test_without_a_yes_nobody_is_called(twilio: TwilioSimulator, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr("builtins.input", lambda _prompt: answer)
    assert run(SOMEBODY).endswith("Nobody was called.\n")
    assert (twilio.requests, CallAttempt.objects.count()) == ([], 0)


def test_a_call_that_is_not_followed_returns_when_the_carrier_has_it(twilio: TwilioSimulator) -> None:
    assert run(SOMEBODY, "--yes", "--no-follow") == " queued\n"
    assert twilio.call.status == "queued"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["0500"], "not in E.164"),
        ([SOMEBODY, "--agent", "x"], "agentId is not a UUID"),
        ([SOMEBODY, "--from", "me"], "the caller ID is not in E.164"),
        ([SOMEBODY, "--var", "name"], "--var name: write it as NAME=VALUE"),
    ],
)
def test_what_speaks_against_a_call_is_said_and_nobody_asked(
    twilio: TwilioSimulator, arguments: list[str], words: str
) -> None:
    with pytest.raises(CommandError, match=words):
        run(*arguments)
    assert twilio.requests == []


def test_a_call_that_nobody_took_is_a_failure(twilio: TwilioSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    Clock(monkeypatch, twilio, "refuse")
    with pytest.raises(CommandError, match="the call ended as busy"):
        run(SOMEBODY, "--yes")


def test_a_lost_answer_is_found_out_while_one_waits(twilio: TwilioSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    twilio.troubles.extend([Trouble(drop=True, is_accepted=True), Trouble(status=500)])
    Clock(monkeypatch, twilio, "", "", "end")
    assert run(SOMEBODY, "--yes").splitlines() == [
        " unknown      Twilio did not answer (ConnectionError)",
        "Twilio answered 500",
        " queued",
        " completed    42 s on the line",
    ]


def test_a_call_that_was_never_placed_is_found_out_too(
    twilio: TwilioSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    twilio.troubles.append(Trouble(drop=True))
    monkeypatch.setattr(reconciling, "LISTINGS_APART", reconciling.LISTINGS_APART * 0)
    Clock(monkeypatch, twilio, "", "", "")
    with pytest.raises(CommandError, match="the call ended as not-placed"):
        run(SOMEBODY, "--yes")


def test_an_interrupt_leaves_the_call_alone(twilio: TwilioSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    Clock(monkeypatch, twilio, "interrupt")
    assert run(SOMEBODY, "--yes").endswith("The call goes on; it is in the admin.\n")
    assert twilio.call.status == "queued"


def test_the_gate_holds_back_what_it_would_hold_back_in_a_campaign(twilio: TwilioSimulator) -> None:
    rule = {"kind": "forbidden_weekdays", "parameters": {"weekdays": list(range(7))}, "citation": "a law"}
    ComplianceRule.objects.create(jurisdiction="*", effective_from="2020-01-01", **rule)
    with pytest.raises(CommandError, match=r"holds this call back: window never opens \(zone UTC, rules"):
        run(SOMEBODY, "--yes")
    suppress(SOMEBODY, source=SuppressionSource.KEY, proof="pressed 9")
    with pytest.raises(CommandError, match=r"holds this call back: suppressed$"):
        run(SOMEBODY, "--yes")
    assert twilio.requests == []
