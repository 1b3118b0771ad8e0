"""What two at once may not both do; on SQLite one waits for the other, on PostgreSQL both are at it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone
from uuid_utils.compat import uuid7

from calls import services
from calls.enums import AttemptStatus
from calls.errors import DialRefusedError
from calls.models import CallAttempt
from calls.telephony import tokens
from tests.calls import phones, rows

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE = 4


def at_once(act: Callable[[], Any]) -> list[Any]:
    """Do something in several threads at the same moment."""
    barrier = Barrier(AT_ONCE)

    def run(_number: int) -> Any:
        try:
            barrier.wait(5)
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(run, range(AT_ONCE)))


def test_a_token_lets_one_of_several_sockets_in() -> None:
    attempt = phones.attempt()
    token = tokens.issue(attempt.pk) or ""
    granted = at_once(lambda: tokens.redeem(token, uuid7()))
    assert [grant for grant in granted if grant] == [services.StreamGrant(attempt.pk, 1)]


def test_a_number_is_dialled_by_one_of_several() -> None:
    rows.agent(is_default=True)

    def dial() -> bool:
        try:
            phones.attempt()
        except DialRefusedError:
            return False
        return True

    assert sorted(at_once(dial)) == [False, False, False, True]
    assert CallAttempt.objects.count() == 1


def test_one_of_several_moves_a_call_forward() -> None:
    attempt = phones.attempt()
    now = timezone.now()
    moved = at_once(lambda: services.advance_attempt(attempt.pk, AttemptStatus.RINGING, at=now, sequence=1))
    assert sorted(moved) == [False, False, False, True]


def test_the_same_twiml_asked_for_by_several_has_one_token() -> None:
    attempt = phones.attempt()
    assert len(set(at_once(lambda: tokens.issue(attempt.pk)))) == 1
