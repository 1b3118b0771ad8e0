"""Callers handed to colleagues: through the real SDK and the webhooks, over whatever goes wrong at either leg."""

import re
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest

from calls import services, tasks
from calls.engine.toolspec import Destination
from calls.enums import Door, EndReason, TransferKind, TransferStatus
from calls.errors import ToolRefusedError
from calls.models import CallAttempt, CallSession, Suppression, Transfer
from calls.telephony import rescuing, tokens, transfers, twiml
from calls.views import webhooks
from tests.calls import rows
from tests.calls.phones import OUR_NUMBER
from tests.simulators.twilio import Reply, SimulatedCall, Trouble, TwilioSimulator

pytestmark = pytest.mark.django_db

HANG_UP = Reply(200, twiml.hang_up())
DESK = Destination(name="sales", e164="+15005550043")
DANA = Destination(name="Dana", e164="+15005550044", kind=TransferKind.WARM)


@pytest.fixture(autouse=True)
def _no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "END_WAIT_SECONDS", 0.0)


class Caller:
    """A caller who talks with the agent, as the carrier has him."""

    def __init__(self, call: SimulatedCall) -> None:
        self.call = call
        self.reply = call.answer()
        self.attempt_id: UUID = CallAttempt.objects.get(carrier_sid=call.sid).pk

    def talk(self, reason: EndReason | None) -> None:
        """Hold a conversation on the stream that was asked for."""
        found = re.search(r'name="token" value="([^"]+)"', self.reply.text)
        assert found, self.reply
        session_id = rows.live_call(door=Door.PHONE)
        assert tokens.redeem(found[1], session_id)
        if reason:
            services.finish_call(session_id, reason=reason, ended_at=datetime.now(UTC), duration_ms=1, totals={})

    def next(self, **told: str) -> Reply:
        """What was being done is over: ask what comes next."""
        found = re.findall(r"<Redirect[^>]*>([^<]+)<", self.reply.text)
        self.reply = self.call.ask(found[0].replace("&amp;", "&"), **told)
        return self.reply


@pytest.fixture
def caller(call: SimulatedCall) -> Caller:
    return Caller(call)


def transfer() -> Any:
    return Transfer.objects.values_list("status", "outcome").get()


def is_stream(reply: Reply) -> bool:
    return reply.status == 200 and "<Stream " in reply.text


def is_conference(reply: Reply) -> bool:
    return reply.status == 200 and "<Conference " in reply.text


def consult(caller: Caller, twilio: TwilioSimulator) -> Caller:
    """Have the colleague's telephone ring, answer it and begin the briefing."""
    caller.talk(None)
    transfers.consult(caller.attempt_id, DANA, "They want to know the price.")
    leg = twilio.calls[-1]
    leg.start()
    leg.ring()
    colleague = Caller(leg)
    colleague.talk(None)
    return colleague


def end(attempt_id: UUID, reason: EndReason) -> None:
    """Bring the running conversation of a leg to its end."""
    session_id = CallAttempt.objects.get(pk=attempt_id).session_id
    assert session_id is not None
    services.finish_call(session_id, reason=reason, ended_at=datetime.now(UTC), duration_ms=1, totals={})


# --- cold -------------------------------------------------------------------------------------------------------------


def test_a_cold_transfer_rings_the_destination_with_our_caller_id(caller: Caller) -> None:
    caller.talk(EndReason.TRANSFERRED)
    transfers.transfer(caller.attempt_id, DESK)
    key = CallAttempt.objects.get().dial_key
    assert caller.next().text == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Response>\n'
        f'  <Dial callerId="{OUR_NUMBER}" timeout="30" '
        f'action="https://calls.example.com/twilio/next?key={key}&amp;after=1" method="POST">\n'
        f"    <Number>{DESK.e164}</Number>\n  </Dial>\n"
        f'  <Redirect method="POST">https://calls.example.com/twilio/next?key={key}&amp;after=1</Redirect>\n'
        "</Response>\n"
    )
    assert transfer() == ("connected", "")
    assert caller.next(DialCallStatus="completed") == HANG_UP
    assert transfer() == ("completed", "")


@pytest.mark.parametrize("outcome", ["busy", "no-answer", "failed", "canceled"])
def test_a_caller_whom_nobody_took_is_with_the_agent_again_and_hears_so(caller: Caller, outcome: str) -> None:
    caller.talk(EndReason.TRANSFERRED)
    transfers.transfer(caller.attempt_id, DESK)
    caller.next()
    assert is_stream(caller.next(DialCallStatus=outcome))
    assert transfer() == ("failed", outcome)
    plan = services.load_attempt_call(services.StreamGrant(caller.attempt_id, 2))
    assert plan.resume_line == plan.spec.transfer_lines.returned
    caller.talk(EndReason.SHUTDOWN)
    assert is_stream(caller.next())
    assert services.load_attempt_call(services.StreamGrant(caller.attempt_id, 3)).resume_line == ""


def test_a_question_asked_twice_is_answered_twice_with_the_same_telephone(caller: Caller) -> None:
    caller.talk(EndReason.TRANSFERRED)
    transfers.transfer(caller.attempt_id, DESK)
    assert caller.next() == caller.call.repeat()
    caller.next(DialCallStatus="busy")
    caller.call.repeat()
    assert transfer() == ("failed", "busy")


def test_a_transfer_that_was_never_stored_brings_the_agent_back(caller: Caller) -> None:
    caller.talk(EndReason.TRANSFERRED)
    assert is_stream(caller.next())


def test_a_caller_goes_to_one_place_at_a_time(caller: Caller) -> None:
    transfers.transfer(caller.attempt_id, DESK)
    with pytest.raises(ToolRefusedError, match="being called already"):
        transfers.consult(caller.attempt_id, DANA, "")
    assert Transfer.objects.count() == 1


# --- warm -------------------------------------------------------------------------------------------------------------


def test_a_colleague_is_told_takes_the_call_and_both_meet_in_one_conference(
    caller: Caller, twilio: TwilioSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    colleague = consult(caller, twilio)
    plan = services.load_attempt_call(services.StreamGrant(colleague.attempt_id, 1))
    assert plan.is_briefing
    assert plan.spec.opening == (
        "Hello, this is Ada, the AI assistant. I have a caller for Dana. They want to know the price. "
        "Press 1 to take the call, or 2 if you cannot."
    )
    assert transfers.look(caller.attempt_id) is TransferStatus.PENDING
    assert transfers.accept(colleague.attempt_id)
    assert transfers.look(caller.attempt_id) is TransferStatus.ACCEPTED
    end(colleague.attempt_id, EndReason.TRANSFERRED)
    end(caller.attempt_id, EndReason.TRANSFERRED)
    room = f"transfer-{Transfer.objects.get().pk}"
    for leg in (colleague, caller):
        assert f">{room}</Conference>" in leg.next().text
        assert 'endConferenceOnExit="true"' in leg.reply.text
    assert transfer() == ("connected", "")
    monkeypatch.setattr(transfers, "MET_AFTER", timedelta(0))
    assert caller.next(DialCallStatus="completed") == HANG_UP
    assert colleague.next(DialCallStatus="completed") == HANG_UP
    assert transfer() == ("completed", "")


@pytest.mark.parametrize("status", ["busy", "no-answer", "failed"])
def test_a_colleague_who_cannot_be_reached_leaves_the_caller_with_the_agent(
    caller: Caller, twilio: TwilioSimulator, status: str
) -> None:
    caller.talk(None)
    transfers.consult(caller.attempt_id, DANA, "")
    leg = twilio.calls[-1]
    leg.start()
    leg.ring()
    leg.end(status)
    assert transfers.look(caller.attempt_id) is TransferStatus.FAILED
    assert transfer() == ("failed", status)


def test_a_no_a_hang_up_and_a_voicemail_are_all_noes(caller: Caller, twilio: TwilioSimulator) -> None:
    colleague = consult(caller, twilio)
    transfers.decline(colleague.attempt_id)
    end(colleague.attempt_id, EndReason.AGENT_SAID_GOODBYE)
    assert (colleague.next(), transfer()) == (HANG_UP, ("failed", "declined"))
    assert not transfers.accept(colleague.attempt_id)
    colleague.call.end()
    transfers.consult(caller.attempt_id, DANA, "")
    second = twilio.calls[-1]
    second.answer()
    second.end()
    assert Transfer.objects.first().outcome == "declined"  # type: ignore[union-attr]
    transfers.consult(caller.attempt_id, DANA, "")
    third = twilio.calls[-1]
    third.answer()
    third.detect("machine_start")
    assert Transfer.objects.first().outcome == "voicemail"  # type: ignore[union-attr]
    assert third.status == "completed"


def test_a_colleague_who_is_gone_before_the_caller_comes_leaves_nobody_in_an_empty_room(
    caller: Caller, twilio: TwilioSimulator
) -> None:
    colleague = consult(caller, twilio)
    transfers.accept(colleague.attempt_id)
    for leg in (colleague, caller):
        end(leg.attempt_id, EndReason.TRANSFERRED)
        assert is_conference(leg.next())
    colleague.call.end()
    assert transfer() == ("failed", "left")
    [address] = caller.call.redirects
    assert is_stream(caller.call.ask(address))


def test_a_colleague_who_is_gone_before_the_caller_was_sent_to_him_brings_the_agent_back(
    caller: Caller, twilio: TwilioSimulator
) -> None:
    colleague = consult(caller, twilio)
    transfers.accept(colleague.attempt_id)
    colleague.call.end()
    assert transfers.look(caller.attempt_id) is TransferStatus.FAILED
    end(caller.attempt_id, EndReason.TRANSFERRED)
    assert is_stream(caller.next())


def test_a_caller_who_hangs_up_takes_the_colleagues_call_along(caller: Caller, twilio: TwilioSimulator) -> None:
    colleague = consult(caller, twilio)
    caller.call.end()
    assert (transfer(), colleague.call.status) == (("canceled", ""), "completed")
    assert not transfers.accept(colleague.attempt_id)


def test_a_caller_who_says_goodbye_while_a_colleague_is_called_ends_it_all(
    caller: Caller, twilio: TwilioSimulator
) -> None:
    colleague = consult(caller, twilio)
    end(caller.attempt_id, EndReason.AGENT_SAID_GOODBYE)
    assert (caller.next(), transfer(), colleague.call.status) == (HANG_UP, ("canceled", ""), "completed")


def test_a_caller_whose_process_died_goes_on_waiting_on_the_next_stream(
    caller: Caller, twilio: TwilioSimulator
) -> None:
    colleague = consult(caller, twilio)
    end(caller.attempt_id, EndReason.INSTANCE_LOST)
    assert is_stream(caller.next())
    assert services.load_attempt_call(services.StreamGrant(caller.attempt_id, 2)).is_consulting
    end(colleague.attempt_id, EndReason.INSTANCE_LOST)
    assert is_stream(colleague.next())
    assert services.load_attempt_call(services.StreamGrant(colleague.attempt_id, 2)).is_briefing


def test_a_colleague_who_never_decides_has_said_no(caller: Caller, twilio: TwilioSimulator) -> None:
    colleague = consult(caller, twilio)
    Transfer.objects.update(created_at=datetime.now(UTC) - timedelta(seconds=106))
    tasks.sweep_attempts()
    assert (transfer(), colleague.call.status) == (("failed", "no-decision"), "completed")


def test_a_lost_callback_is_found_by_the_sweep(caller: Caller, twilio: TwilioSimulator) -> None:
    consult(caller, twilio)
    CallAttempt.objects.filter(pk=caller.attempt_id).update(status="completed", ended_at=datetime.now(UTC))
    tasks.sweep_attempts()
    assert (transfer(), twilio.calls[-1].status) == (("canceled", ""), "completed")


# --- the second leg ---------------------------------------------------------------------------------------------------


def test_a_colleagues_call_is_no_contacts(caller: Caller, twilio: TwilioSimulator) -> None:
    Suppression.objects.create(e164=DANA.e164, proof="asked for it")
    colleague = consult(caller, twilio)
    leg = CallAttempt.objects.get(pk=colleague.attempt_id)
    assert (leg.kind, leg.parent_id, leg.to_e164, leg.from_e164) == (
        "colleague",
        caller.attempt_id,
        DANA.e164,
        OUR_NUMBER,
    )
    assert list(CallAttempt.objects.to_contacts().values_list("pk", flat=True)) == [caller.attempt_id]
    with pytest.raises(ToolRefusedError, match="not known"):
        services.suppress_person(leg.pk, words="stop", at=datetime.now(UTC))


def test_a_colleague_is_never_called_twice_at_once(caller: Caller, twilio: TwilioSimulator) -> None:
    consult(caller, twilio)
    services.advance_transfer(Transfer.objects.get().pk, TransferStatus.FAILED, at=datetime.now(UTC))
    with pytest.raises(ToolRefusedError, match="on another call"):
        transfers.consult(caller.attempt_id, DANA, "")
    assert len(twilio.calls) == 2


def test_a_refused_dialling_is_told_at_once_and_a_lost_answer_is_waited_for(
    caller: Caller, twilio: TwilioSimulator
) -> None:
    twilio.troubles.append(Trouble(status=400, code=21211))
    with pytest.raises(ToolRefusedError, match="could not be called"):
        transfers.consult(caller.attempt_id, DANA, "")
    assert transfer() == ("failed", "not-placed")
    twilio.troubles.append(Trouble(drop=True, is_accepted=True))
    transfers.consult(caller.attempt_id, DANA, "")
    assert transfers.look(caller.attempt_id) is TransferStatus.PENDING


def test_who_talks_with_a_colleague_is_not_rescued(caller: Caller, twilio: TwilioSimulator) -> None:
    colleague = consult(caller, twilio)
    transfers.accept(colleague.attempt_id)
    for leg in (colleague, caller):
        end(leg.attempt_id, EndReason.TRANSFERRED)
        leg.next()
    for age in (timedelta(seconds=60), timedelta(hours=1)):
        rescuing.rescue_calls(datetime.now(UTC) + age)
        legs = (caller.call, colleague.call)
        assert [(leg.redirects, leg.status) for leg in legs] == [([], "in-progress")] * 2


# --- whatever the rows say --------------------------------------------------------------------------------------------


def test_a_caller_is_never_without_something_to_do(caller: Caller, twilio: TwilioSimulator) -> None:
    """Whatever is stored and told, the answer streams, dials, confers or hangs up; and where it is not the end of the
    talk, what it does is followed by the same question."""
    colleague = consult(caller, twilio)
    asked = {leg: re.findall(r"<Redirect[^>]*>([^<]+)<", leg.reply.text)[0] for leg in (caller, colleague)}
    reasons = (EndReason.TRANSFERRED, EndReason.INSTANCE_LOST, EndReason.AGENT_SAID_GOODBYE)
    end(caller.attempt_id, EndReason.TRANSFERRED)
    for status, kind, told, reason in product(TransferStatus, TransferKind, ("", "completed", "busy"), reasons):
        CallSession.objects.filter(end_reason__gt="").update(end_reason=reason)
        ended_at = None if status.is_open else datetime.now(UTC)
        for leg in (caller, colleague):
            Transfer.objects.update(kind=kind, status=status, connected_at=None, ended_at=ended_at)
            CallAttempt.objects.update(status="in-progress", ended_at=None)
            reply = leg.call.ask(asked[leg].replace("&amp;", "&"), **({"DialCallStatus": told} if told else {}))
            verbs = [verb for verb in ("<Stream ", "<Number>", "<Conference ", "<Hangup/>") if verb in reply.text]
            assert (reply.status, len(verbs)) == (200, 1)
            assert ("twilio/next?" in reply.text) == (verbs != ["<Hangup/>"])
            is_lost = reason is not EndReason.AGENT_SAID_GOODBYE or told
            if leg is caller and status in {TransferStatus.FAILED, TransferStatus.CANCELED} and is_lost:
                assert verbs == ["<Stream "]


# --- while the colleague's telephone rings ----------------------------------------------------------------------------


def test_a_process_that_died_before_it_dialled_is_not_waited_for(caller: Caller, twilio: TwilioSimulator) -> None:
    caller.talk(None)
    wanted = services.open_transfer(caller.attempt_id, DANA, at=datetime.now(UTC))
    assert transfers.look(caller.attempt_id) is TransferStatus.PENDING
    Transfer.objects.update(created_at=datetime.now(UTC) - timedelta(seconds=16))
    assert transfers.look(caller.attempt_id) is TransferStatus.FAILED
    assert transfer() == ("failed", "not-called")
    leg = CallAttempt.objects.create(
        to_e164=DANA.e164, carrier="twilio", created_at=datetime.now(UTC), heard_at=datetime.now(UTC)
    )
    assert not services.name_leg(wanted.pk, leg.pk), "who was only slow calls nobody any more"
    assert len(twilio.calls) == 1


def test_nobody_is_dialled_for_a_caller_who_gave_up_meanwhile(
    caller: Caller, twilio: TwilioSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller.talk(None)
    open_attempt = services.open_attempt

    def open_late(*arguments: Any, **more: Any) -> CallAttempt:
        services.advance_transfer(Transfer.objects.get().pk, TransferStatus.FAILED, at=datetime.now(UTC))
        return open_attempt(*arguments, **more)

    monkeypatch.setattr(services, "open_attempt", open_late)
    with pytest.raises(ToolRefusedError, match="does not wait"):
        transfers.consult(caller.attempt_id, DANA, "")
    assert len(twilio.calls) == 1
    assert CallAttempt.objects.get(kind="colleague").status == "not-placed"


def test_a_colleague_who_answers_when_nobody_waits_any_more_is_not_talked_to(
    caller: Caller, twilio: TwilioSimulator
) -> None:
    caller.talk(None)
    transfers.consult(caller.attempt_id, DANA, "")
    services.advance_transfer(Transfer.objects.get().pk, TransferStatus.FAILED, at=datetime.now(UTC))
    assert twilio.calls[-1].answer() == HANG_UP
