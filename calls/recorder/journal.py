"""Facts on the disk before they are in the database: a plain write survives the death of the process.

One folder per process (instance) with a locked file in it, one file per live call with a JSON line per fact. The kernel
releases the lock when the process dies, however it dies: a folder whose lock is free belongs to the dead.
"""

import contextlib
import fcntl
import logging
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar
from uuid import UUID, uuid4
from weakref import WeakSet

from calls.recorder.facts import Fact, decode, encode
from vantum.metrics import JOURNAL_FAILURES

logger = logging.getLogger(__name__)

_LOCK = "lock"
ENDING = ".jsonl"
_ATTEMPTS = 5
_NAME = re.compile(r"(?P<host>.*)-(?P<pid>[0-9]+)-[0-9a-f]{8}")


class Instance:
    """A process's folder of journals, held by a lock."""

    def __init__(self, folder: Path, lock: int) -> None:
        self.folder = folder
        self.name = folder.name
        self._lock = lock
        _held.add(self)

    @classmethod
    def begin(cls, root: Path) -> "Instance":
        """Make the folder of this process. Raises ``OSError``."""
        for _ in range(_ATTEMPTS):
            folder = root / f"{_host()}-{os.getpid()}-{uuid4().hex[:8]}"
            folder.mkdir(parents=True)
            instance = cls.take(folder)
            if instance is not None:
                return instance
        # Another process, looking for the dead, was each time faster than our lock.
        message = f"no folder under {root} could be locked"
        raise BlockingIOError(message)

    @classmethod
    def take(cls, folder: Path) -> "Instance | None":
        """Hold the folder of a dead process; None while its process lives or another one has taken it."""
        try:
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except (FileNotFoundError, NotADirectoryError):
            return None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever held it before may have removed the folder between our opening and our locking.
            if (folder / _LOCK).stat().st_ino == os.fstat(lock).st_ino:
                return cls(folder, lock)
        except (BlockingIOError, FileNotFoundError):
            pass
        os.close(lock)
        return None

    def journals(self) -> list[Path]:
        """Give the files of calls whose facts may not all be in the database, the oldest first."""
        return sorted(self.folder.glob(f"*{ENDING}"))

    def release(self) -> None:
        """Let go; an empty folder goes too."""
        if self._lock < 0:
            return
        if not self.journals():
            (self.folder / _LOCK).unlink(missing_ok=True)
            # What was refused for good stays, for a human.
            with contextlib.suppress(OSError):
                self.folder.rmdir()
        self.forget()

    def forget(self) -> None:
        """Close the lock's file. The lock itself ends with the last process that has the file open."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


_held: "WeakSet[Instance]" = WeakSet()


def _forget_all() -> None:
    """In a forked child: an inherited lock would keep a dead parent's folder looking alive."""
    for instance in list(_held):
        instance.forget()


os.register_at_fork(after_in_child=_forget_all)


def dead_instances(root: Path) -> Iterator[Instance]:
    """Give the folders of dead processes, each held until the next is asked for."""
    for folder in sorted(root.glob("*/")):
        instance = Instance.take(folder)
        if instance is not None:
            try:
                yield instance
            finally:
                instance.release()


def living_instances(root: Path) -> list[str]:
    """Give the names of the processes on this machine that live."""
    names = []
    for folder in root.glob("*/"):
        instance = Instance.take(folder)
        if instance is None:
            names.append(folder.name)
        else:
            instance.forget()
    return names


def has_died(name: str) -> bool:
    """Whether a folder's process was on this machine and is gone. False says nothing: its number may be another's now.

    Unlike a look at the lock, this is in nobody's way: a replay would take the folder for one that is held.
    """
    found = _NAME.fullmatch(name)
    if found is None or found["host"] != _host():
        return False
    try:
        os.kill(int(found["pid"]), 0)
    except ProcessLookupError:
        return True
    except OSError:  # somebody else's
        return False
    return False


def _host() -> str:
    return socket.gethostname()[:60]


class Journal:
    """The file of one call. Appending neither raises nor syncs; what could not be written makes it not whole."""

    _complained: ClassVar[bool] = False
    """A full disk is said once, not once for every call and fact."""

    def __init__(self, folder: Path, session_id: UUID) -> None:
        self.path = folder / f"{session_id}{ENDING}"
        self.is_whole = True
        """Whether every fact so far is in the file, so that memory need not keep them."""
        self.is_complete = False
        """Whether no further fact follows."""
        self.is_refused = False
        """Whether the database refused one of its facts for good."""
        self._torn = False
        self._file = -1
        try:
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            self._fail(error)

    def append(self, fact: Fact) -> None:
        """Write one line."""
        if not self._write(fact):
            JOURNAL_FAILURES.inc()

    def _write(self, fact: Fact) -> bool:
        if self._file < 0:
            return False
        line = encode(fact)
        if self._torn:
            line = b"\n" + line
        try:
            written = os.write(self._file, line)
        except OSError as error:
            self._fail(error)
            return False
        self._torn = written < len(line)
        if self._torn:
            self._fail(OSError("the line was cut short"))
        else:
            Journal._complained = False
        return not self._torn

    def _fail(self, error: OSError) -> None:
        self.is_whole = False
        if not Journal._complained:
            Journal._complained = True
            logger.error("the journal in %s cannot be written (%s); facts wait in memory", self.path.parent, error)

    def close(self) -> None:
        """Free the file and leave it for a replay."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def settle(self) -> None:
        """The database has taken all of it: remove it, or keep it for a human where a part was refused for good.

        A file that cannot be removed stays for the next start, which stores nothing of it a second time.
        """
        self.close()
        try:
            if self.is_refused:
                set_aside(self.path)
            else:
                self.path.unlink(missing_ok=True)
        except OSError:
            logger.exception("journal %s stays", self.path.name)


def set_aside(path: Path) -> None:
    """Give a journal a name under which no replay finds it."""
    if path.exists():
        path.rename(path.with_suffix(".rejected"))


def read_journal(path: Path) -> list[Fact]:
    """Give the facts of a journal; torn lines are left out."""
    facts, torn = [], 0
    for line in path.read_bytes().split(b"\n"):
        if not line:
            continue
        fact = decode(line)
        if fact is None:
            torn += 1
        else:
            facts.append(fact)
    if torn:
        logger.warning("journal %s: %d torn lines left out", path.name, torn)
    return facts
