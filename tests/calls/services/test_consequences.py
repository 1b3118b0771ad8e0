from typing import Any
from uuid import UUID

import pytest

from calls import services
from calls.enums import AnsweredBy, AttemptKind, Door, SuppressionSource
from calls.models import CallAttempt, Suppression
from calls.services import EventFact, StreamGrant
from calls.signals import opted_out
from tests.calls import phones, rows

pytestmark = pytest.mark.django_db


def conversation(attempt: CallAttempt) -> UUID:
    """Have the attempt's stream carry a conversation."""
    session_id = rows.live_call(door=Door.PHONE)
    services.ask_for_stream(attempt.pk, 1, at=rows.BEGAN)
    services.open_stream(StreamGrant(attempt.pk, 1), session_id, at=rows.BEGAN, not_before=rows.BEGAN)
    return session_id


def opt_out(session_id: UUID, source: SuppressionSource, turn: int | None = None) -> EventFact:
    return EventFact(session_id, 7, "opted_out", 4200, {"source": source.value, "turn": turn})


def test_a_spoken_opt_out_holds_at_once_with_its_words_as_the_proof() -> None:
    session_id = conversation(phones.attempt())
    services.record_turns([rows.turn_fact(session_id, 3, "stop calling me")])
    fact = opt_out(session_id, SuppressionSource.SPOKEN, 3)
    services.record_events([fact])
    services.record_events([fact])
    suppression = Suppression.objects.get()
    assert (suppression.e164, suppression.source) == (phones.SOMEBODY, "spoken")
    moment = f"call {session_id}, 4.2 s after its beginning at 2025-11-21T09:00:00+00:00"
    assert suppression.proof == f'said "stop calling me" in turn 3: {moment}'


def test_a_key_is_a_proof_too_and_an_inbound_callers_number_is_his_own() -> None:
    attempt = phones.attempt(direction="inbound", to_e164=phones.OUR_NUMBER, from_e164="+15005550043")
    session_id = conversation(attempt)
    services.record_events([opt_out(session_id, SuppressionSource.KEY)])
    suppression = Suppression.objects.get()
    assert (suppression.e164, suppression.source) == ("+15005550043", "key")
    assert suppression.proof.startswith("pressed a key for it: call ")


def test_without_a_number_there_is_nothing_that_it_could_hold_for() -> None:
    services.record_events([opt_out(rows.live_call(), SuppressionSource.SPOKEN)])
    assert not Suppression.objects.exists()


def test_who_answered_stands_with_the_attempt_and_the_last_word_counts() -> None:
    attempt, other = phones.attempt(), phones.attempt("+15005550044")
    session_id = conversation(attempt)
    kinds: list[Any] = [AnsweredBy.SCREENING.value, AnsweredBy.HUMAN.value, "a parrot"]
    for seq, kind in enumerate(kinds):
        services.record_events([EventFact(session_id, seq, "answered", 0, {"by": kind})])
    for row in (attempt, other):
        row.refresh_from_db()
    assert (attempt.answered_kind, other.answered_kind) == ("human", "")


@pytest.mark.django_db(transaction=True)
def test_the_signal_goes_up_once_for_each_number() -> None:
    told: list[tuple[str, SuppressionSource]] = []

    def note(*, e164: str, source: SuppressionSource, **_: Any) -> None:
        told.append((e164, source))

    opted_out.connect(note, weak=False)
    try:
        for _ in range(2):
            services.suppress(phones.SOMEBODY, source=SuppressionSource.KEY, proof="pressed 9")
    finally:
        opted_out.disconnect(note)
    assert told == [(phones.SOMEBODY, SuppressionSource.KEY)]


def test_what_a_colleague_says_suppresses_nobody() -> None:
    leg = phones.attempt(kind=AttemptKind.COLLEAGUE)
    services.record_events([opt_out(conversation(leg), SuppressionSource.SPOKEN)])
    assert not Suppression.objects.exists()
    # Nor does the engine listen for it there: to it the leg is no telephone call.
    assert services.load_attempt_call(StreamGrant(leg.pk, 1)).direction is None
