import os
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from uuid_utils.compat import uuid7

from calls.recorder.facts import Fact, encode
from calls.recorder.journal import Instance, Journal, dead_instances, has_died, living_instances, read_journal
from tests.calls import rows

HOLDER = """
import sys, time
from pathlib import Path
import django
django.setup()
from calls.recorder.journal import Instance
print(Instance.begin(Path(sys.argv[1])).name, flush=True)
time.sleep(60)
"""


def facts(count: int) -> list[Fact]:
    session_id = uuid7()
    return [rows.turn_fact(session_id, index) for index in range(count)]


def test_what_was_appended_is_read_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path, uuid7())
    said = facts(3)
    for fact in said:
        journal.append(fact)
    assert read_journal(journal.path) == said
    assert journal.is_whole
    journal.settle()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cut", [1, 20])
def test_a_torn_line_costs_that_line_alone(tmp_path: Path, cut: int, caplog: pytest.LogCaptureFixture) -> None:
    first, second, third = facts(3)
    path = tmp_path / "a.jsonl"
    path.write_bytes(encode(first) + encode(second)[:-cut] + b"\n" + encode(third) + encode(second)[:cut])
    torn = [fact for fact in (first, second, third) if cut == 1 or fact is not second]
    assert read_journal(path) == torn
    assert f"{1 if cut == 1 else 2} torn lines left out" in caplog.text


def test_rubbish_is_no_fact(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\x00\xff\n{"type":"turn"}\n[]\n{"type":"other"}\n\n')
    assert read_journal(path) == []


@contextmanager
def full_disk(room: int) -> Iterator[None]:
    """Let no file of this process grow beyond so many bytes."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_full_disk_is_said_once_and_the_line_after_a_cut_one_is_whole(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first, second, third = facts(3)
    journal, other = Journal(tmp_path, uuid7()), Journal(tmp_path, uuid7())
    journal.append(first)
    failures = REGISTRY.get_sample_value("vantum_journal_failures_total") or 0
    with full_disk(journal.path.stat().st_size + 10):
        journal.append(second)
        journal.append(second)
    journal.append(third)
    other.append(third)
    assert (journal.is_whole, other.is_whole) == (False, True)
    assert read_journal(journal.path) == [first, third]
    assert caplog.text.count("cannot be written") == 1
    assert REGISTRY.get_sample_value("vantum_journal_failures_total") == failures + 2
    journal.close()
    other.close()


def test_a_folder_that_is_not_there_fails_no_call(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "gone", uuid7())
    journal.append(facts(1)[0])
    journal.settle()
    assert not journal.is_whole


def test_a_process_that_was_killed_is_recognised_and_a_living_one_is_left_alone(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    holders = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        living, dead = (holder.stdout.readline().strip() for holder in holders if holder.stdout)
        assert sorted(living_instances(tmp_path)) == sorted([living, dead])
        assert list(dead_instances(tmp_path)) == []
        assert [has_died(name) for name in (living, dead)] == [False, False]
        holders[1].kill()
        holders[1].wait()
        assert [has_died(name) for name in (living, dead)] == [False, True]
        (tmp_path / dead / "a.jsonl").touch()
        assert living_instances(tmp_path) == [living]
        assert [instance.name for instance in dead_instances(tmp_path)] == [dead]
    finally:
        for holder in holders:
            holder.kill()
            holder.wait()
            assert holder.stdout
            holder.stdout.close()


@pytest.mark.parametrize("name", ["", "lock", "elsewhere-1-0123abcd", f"{socket.gethostname()[:60]}-1-0123abcd"])
def test_of_a_process_elsewhere_or_not_named_nobody_says_that_it_is_dead(name: str) -> None:
    assert not has_died(name)


def test_a_dead_process_is_taken_by_one_at_a_time_and_its_empty_folder_goes(tmp_path: Path) -> None:
    instance = Instance.begin(tmp_path)
    (instance.folder / "a.jsonl").touch()
    instance.release()
    first = Instance.take(instance.folder)
    assert first
    assert Instance.take(instance.folder) is None
    (instance.folder / "a.jsonl").unlink()
    first.release()
    first.release()
    assert list(tmp_path.iterdir()) == []
    assert Instance.take(instance.folder) is None


def test_a_forked_child_does_not_hold_its_dead_parents_folder(tmp_path: Path) -> None:
    instance = Instance.begin(tmp_path)
    ready, go = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.write(ready[1], b".")
        os.read(go[0], 1)
        os._exit(0)
    os.read(ready[0], 1)
    instance.forget()
    assert living_instances(tmp_path) == []
    os.write(go[1], b".")
    os.waitpid(child, 0)
    for end in (*ready, *go):
        os.close(end)
