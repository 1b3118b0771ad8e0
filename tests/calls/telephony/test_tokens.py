from uuid import UUID

import pytest
from django.core import signing
from pytest_django.fixtures import Settings
from uuid_utils.compat import uuid7

from calls.models import CallAttempt, CallStream
from calls.services import StreamGrant
from calls.telephony import tokens
from tests.calls import phones

pytestmark = pytest.mark.django_db


def test_a_token_opens_its_stream_once() -> None:
    attempt, session_id = phones.attempt(), uuid7()
    token = tokens.issue(attempt.pk)
    assert token is not None
    assert tokens.redeem(token, session_id) == StreamGrant(attempt.pk, 1)
    assert tokens.redeem(token, session_id) is None
    assert CallStream.objects.get().session_id == session_id


def test_a_token_asked_for_twice_is_the_same_and_still_opens_once() -> None:
    attempt = phones.attempt()
    one, same = tokens.issue(attempt.pk), tokens.issue(attempt.pk)
    assert one == same
    assert one is not None
    assert [tokens.redeem(token) for token in (one, one)] == [StreamGrant(attempt.pk, 1), None]


def test_a_call_has_four_streams_and_no_more() -> None:
    attempt = phones.attempt()
    issued = [tokens.issue(attempt.pk, after=after) for after in range(tokens.MOST_STREAMS + 1)]
    assert issued.pop() is None
    assert [tokens.redeem(token or "") for token in issued] == [StreamGrant(attempt.pk, n) for n in (1, 2, 3, 4)]
    assert (tokens.issue(attempt.pk, after=99), tokens.issue(attempt.pk, after=-1)) == (None, None)


def test_an_old_token_opens_nothing(settings: Settings) -> None:
    token = tokens.issue(phones.attempt().pk)
    settings.STREAM_TOKEN_SECONDS = -1
    assert tokens.redeem(token or "") is None


def test_the_token_of_a_call_that_is_over_opens_nothing() -> None:
    attempt = phones.attempt()
    token = tokens.issue(attempt.pk)
    CallAttempt.objects.update(status="completed", ended_at=attempt.created_at)
    assert tokens.redeem(token or "") is None


@pytest.mark.parametrize("token", ["", "x", ".1:x", "\x00", "é:é", "a" * 10_000])
def test_a_guess_opens_nothing(token: str) -> None:
    assert tokens.redeem(token) is None


def test_a_token_made_for_something_else_opens_nothing() -> None:
    attempt = phones.attempt()
    token = tokens.issue(attempt.pk) or ""
    other = signing.Signer(salt="another").sign(token.rpartition(":")[0])
    turned = token.replace(attempt.pk.hex, UUID(int=1).hex)
    assert [tokens.redeem(guess) for guess in (other, turned)] == [None, None]
