from pathlib import Path

import pytest
from celery import Celery
from kombu.exceptions import ChannelError

from vantum.brokers import FILESYSTEM, broker_options
from vantum.celery import app as site_app
from vantum.filequeue import Channel, Transport


# Kombu remembers the bindings of a process, whatever the folder: each test has a queue of its own.
@pytest.fixture
def app(tmp_path: Path) -> Celery:
    app = Celery("test", broker=FILESYSTEM, set_as_current=False)
    app.conf.broker_transport_options = broker_options(FILESYSTEM, tmp_path)
    return app


def test_the_site_uses_the_transport_of_its_own() -> None:
    with site_app.connection_for_write() as connection:
        assert isinstance(connection.transport, Transport)


def test_messages_come_out_in_the_order_in_which_they_went_in(app: Celery) -> None:
    with app.connection_for_write() as connection, connection.SimpleQueue("orders") as queue:
        for number in range(20):
            queue.put({"number": number})
        assert [queue.get(timeout=5).payload["number"] for _ in range(20)] == list(range(20))


def test_a_message_that_is_still_being_written_is_not_taken(app: Celery, tmp_path: Path) -> None:
    with app.connection_for_write() as connection, connection.SimpleQueue("drafts") as queue:
        (tmp_path / "queue" / ".0001.drafts.msg.draft").write_text("")
        queue.put({"number": 1})
        assert queue.get(timeout=5).payload == {"number": 1}
        with pytest.raises(queue.Empty):
            queue.get_nowait()


def test_a_folder_that_is_gone_is_named(app: Celery, tmp_path: Path) -> None:
    with app.connection_for_write() as connection:
        channel = connection.channel()
        assert isinstance(channel, Channel)
        (tmp_path / "queue").rename(tmp_path / "moved")
        with pytest.raises(
            ChannelError, match=r"cannot write to the queue's folder .*queue: No such file or directory"
        ):
            channel._put("orders", {})
