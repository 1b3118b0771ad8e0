"""A real worker takes a task through each broker."""

import asyncio
import uuid
from pathlib import Path

import pytest
from celery import Celery

from tests.processes import Running, environment, running
from vantum.brokers import FILESYSTEM, broker_options
from vantum.celery import app as site


async def mark_left_by_worker(url: str, folder: Path) -> tuple[str, int, int]:
    """Send a task before a worker of the site is there, start it, and give the mark, who left it, and the worker."""
    data_dir, mark, queue = folder / "var", folder / "mark", f"test-{uuid.uuid4().hex}"
    env = environment(data_dir, CELERY_BROKER_URL=url, CELERY_SKIP_CHECKS="1")
    sender = Celery("sender", broker=url, set_as_current=False)
    sender.conf.update(broker_transport_options=broker_options(url, data_dir), task_serializer="json")
    task = {"path": str(mark), "text": "was here"}
    sender.send_task("tests.live.wakeups.leave_mark", kwargs=task, queue=queue)
    worker = ("-m", "celery", "-A", "vantum", "worker", "--pool", "threads", "-Q", queue, "-I", "tests.live.wakeups")
    try:
        async with running(*worker, "--concurrency", "2", "--without-gossip", "--without-mingle", env=env) as process:
            await file_written(mark, process)
            text, _, pid = mark.read_text().rpartition(" ")
            process.process.terminate()
            assert await process.rest() == 0
            return text, int(pid), process.process.pid
    finally:
        with sender.connection_for_write() as connection:
            connection.default_channel.queue_delete(queue)


async def file_written(path: Path, process: Running) -> None:
    reading = asyncio.create_task(process.until(lambda _line: path.exists(), seconds=30))
    try:
        async with asyncio.timeout(30):
            while not path.exists():  # noqa: ASYNC110, ASYNC240 (the other side is a process)
                await asyncio.sleep(0.05)
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def test_the_file_based_broker_brings_a_task_to_a_worker(tmp_path: Path) -> None:
    text, pid, worker = await mark_left_by_worker(FILESYSTEM, tmp_path)
    assert (text, pid) == ("was here", worker)


@pytest.mark.live
async def test_redis_brings_a_task_to_a_worker(redis_url: str, tmp_path: Path) -> None:
    text, pid, worker = await mark_left_by_worker(redis_url, tmp_path)
    assert (text, pid) == ("was here", worker)


@pytest.mark.live
async def test_rabbitmq_brings_a_task_to_a_worker(rabbitmq_url: str, tmp_path: Path) -> None:
    text, pid, worker = await mark_left_by_worker(rabbitmq_url, tmp_path)
    assert (text, pid) == ("was here", worker)


def test_the_tasks_of_calls_are_known_to_the_worker() -> None:
    site.loader.import_default_modules()
    assert {"calls.tasks.measure_call", "calls.tasks.sweep_lost_calls"} <= set(site.tasks)
    assert {entry["task"] for entry in site.conf.beat_schedule.values()} <= set(site.tasks)
