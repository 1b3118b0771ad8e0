"""The sandbox's carrier against servers that misbehave; against the real one see tests/calls/sandbox/test_server.py."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from msgspec.structs import replace
from pytest_django.fixtures import Settings

from calls.errors import TelephonyError, UncertainTelephonyError
from calls.telephony.carriers import CallOrder, Carrier
from calls.telephony.sandbox import Sandbox
from tests.processes import free_port

ORDER = CallOrder(
    to_e164="+15005550101",
    from_e164="+15005550100",
    answer_url="http://us/answer",
    status_url="http://us/status",
    detection_url="http://us/amd",
    ring_seconds=30,
    limit_seconds=600,
)


@contextmanager
def answering(answer: bytes | None) -> Iterator[int]:
    """Take one request and answer with these bytes; None never answers."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                if answer is None:
                    done.wait(5)
                else:
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        done.set()
        thread.join()


def reply(status: int, body: str) -> bytes:
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


@pytest.mark.parametrize(
    "answer",
    [None, b"", b"nonsense\r\n\r\n", reply(201, "{"), reply(201, "[]"), reply(201, "{}"), reply(500, '{"code": 1}')],
    ids=["silence", "closed", "no HTTP", "no JSON", "a list", "no call", "an error"],
)
def test_an_order_without_a_clear_answer_may_have_been_done(settings: Settings, answer: bytes | None) -> None:
    settings.SANDBOX_TIMEOUT_SECONDS = 0.2
    with answering(answer) as settings.SANDBOX_PORT, pytest.raises(UncertainTelephonyError):
        Sandbox().place(ORDER)


@pytest.mark.parametrize("answer", [None, b"", reply(500, "{}"), reply(200, "{}")])
def test_a_question_without_a_clear_answer_can_be_asked_again(settings: Settings, answer: bytes | None) -> None:
    settings.SANDBOX_TIMEOUT_SECONDS = 0.2
    with answering(answer) as settings.SANDBOX_PORT, pytest.raises(TelephonyError) as error:
        Sandbox().fetch("CA1")
    assert (type(error.value), error.value.permanent) == (TelephonyError, False)


def test_a_sandbox_that_does_not_run_took_nothing_and_is_named(settings: Settings) -> None:
    settings.SANDBOX_PORT = free_port()
    with pytest.raises(TelephonyError, match=r"manage\.py sandbox") as error:
        Sandbox().place(ORDER)
    assert not isinstance(error.value, UncertainTelephonyError)


def test_it_is_a_carrier_that_refuses_to_record() -> None:
    carrier: Carrier = Sandbox()
    with pytest.raises(TelephonyError, match="records nothing") as error:
        carrier.start_recording("CA1", url="http://us/recording")
    assert error.value.permanent
    carrier.stop_recording("CA1")
    carrier.delete_recording("RE1")


def test_only_numbers_for_fiction_are_called(settings: Settings) -> None:
    settings.SANDBOX_PORT = free_port()
    for number in ("+442079460000", "+15005550042", "+15005550200"):
        with pytest.raises(TelephonyError, match="555-0100 to 555-0199") as error:
            Sandbox().place(replace(ORDER, to_e164=number))
        assert (error.value.permanent, error.value.code) == (True, 21211)
