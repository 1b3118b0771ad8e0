import time
from pathlib import Path

import pytest
from celery import Celery
from kombu.exceptions import OperationalError

from vantum.brokers import broker_options
from vantum.celery import app


def test_tasks_are_acknowledged_late_and_written_as_json_only() -> None:
    assert {
        name: app.conf[name] for name in ("task_acks_late", "task_serializer", "accept_content", "task_ignore_result")
    } == {
        "task_acks_late": True,
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_ignore_result": True,
    }
    assert app.conf.result_backend is None


def test_the_scheduler_keeps_its_notes_in_the_data_folder(settings: object) -> None:
    assert Path(app.conf.beat_schedule_filename).parent == Path(getattr(settings, "DATA_DIR", ""))


@pytest.mark.parametrize("url", ["amqp://127.0.0.1:1", "redis://127.0.0.1:1"])
def test_a_publisher_fails_within_seconds_when_the_broker_is_away(url: str, tmp_path: Path) -> None:
    sender = Celery("sender", broker=url, set_as_current=False)
    sender.conf.update(
        broker_transport_options=broker_options(url, tmp_path),
        broker_connection_timeout=app.conf.broker_connection_timeout,
        task_publish_retry_policy=app.conf.task_publish_retry_policy,
    )
    began = time.monotonic()
    with pytest.raises(OperationalError):
        sender.send_task("anything")
    assert time.monotonic() - began < 5
