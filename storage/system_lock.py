"""One system a DATA_DIR: a lock that the running system holds, and a record by which others find it.

    DATA_DIR/run/system.lock   held by flock for as long as the process lives; the kernel lets go when it dies
    DATA_DIR/run/system.json   who it is and where it answers; its owner's only, since addresses hold passwords

The record alone proves nothing: a process that was killed leaves it behind. It counts only while the process that
wrote it lives, told from a later one of the same id by the moment it was started.
"""

import errno
import fcntl
import json
import os
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

import psutil
from pydantic import ValidationError

from domain.clock import Clock, SystemClock
from schemas.frozen import Frozen, UtcTime
from storage.errors import AlreadyRunning, StoreSetupFailed


class SystemState(StrEnum):
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"


class SystemRecord(Frozen):
    pid: int
    started_ticks: int
    """The process's start, in clock ticks since the machine's: with `pid` it names one process for good."""
    started_at: UtcTime
    state: SystemState = SystemState.STARTING
    api_url: str | None = None
    ray_address: str | None = None
    ray_token_path: str | None = None
    database_url: str | None = None
    """Only of our own PostgreSQL; null where DATABASE_URL is set."""
    redis_url: str | None = None
    """Only of our own Redis; null where REDIS_URL is set."""


class SystemLock:
    """Held from `acquire` to `release`; must be kept referenced, and never be inherited by a plain fork."""

    def __init__(self, folder: Path, descriptor: int, record: SystemRecord) -> None:
        self.record = record
        self._folder = folder
        self._descriptor: int | None = descriptor

    def update(self, **changes: Any) -> SystemRecord:
        """Change the record, for others to read; an unknown field is an error."""
        self.record = SystemRecord.model_validate(self.record.model_dump() | changes)
        if self._descriptor is not None:
            _write(self._folder / "system.json", self.record)
        return self.record

    def release(self) -> None:
        """Remove the record and let go. The lock's file stays: removing it would let two systems hold 'the' lock."""
        if self._descriptor is None:
            return
        (self._folder / "system.json").unlink(missing_ok=True)
        os.close(self._descriptor)
        self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def acquire(data_dir: Path, clock: Clock | None = None) -> SystemLock:
    """Become the system of this DATA_DIR; `AlreadyRunning` says who is, and what to do."""
    folder = Path(data_dir).expanduser().resolve() / "run"
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        descriptor = os.open(folder / "system.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreSetupFailed(
            f"{error.filename or folder} cannot be written ({error.strerror}): make DATA_DIR a folder that this user "
            "may write to"
        ) from error
    try:
        _flock(descriptor, folder)
        now = (clock or SystemClock()).now()
        record = SystemRecord(pid=os.getpid(), started_ticks=_own_ticks(), started_at=now)
        _write(folder / "system.json", record)
    except BaseException:
        os.close(descriptor)
        raise
    return SystemLock(folder, descriptor, record)


def read_system(data_dir: Path) -> SystemRecord | None:
    """The system that runs on this DATA_DIR; None when none does."""
    try:
        record = SystemRecord.model_validate_json(_record_file(data_dir).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return None  # a record of another version's is as good as none: the lock still protects
    except PermissionError as error:
        raise StoreSetupFailed(
            f"{_record_file(data_dir)} belongs to another user: use the one that started the system"
        ) from error
    return record if start_ticks(record.pid) == record.started_ticks else None


def start_ticks(pid: int) -> int | None:
    """When a process was started, in clock ticks since the machine's start; None when there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        if Path("/proc/self/stat").exists():
            return None
        return _start_elsewhere(pid)
    fields = stat.rpartition(b")")[2].split()  # the name before it may hold anything
    return None if fields[0] == b"Z" else int(fields[19])


def _start_elsewhere(pid: int) -> int | None:
    """Without /proc: hundredths of a second since 1970, which serve as well where the clock is not set meanwhile."""
    try:
        return int(psutil.Process(pid).create_time() * 100)
    except psutil.Error:
        return None


def _own_ticks() -> int:
    ticks = start_ticks(os.getpid())
    assert ticks is not None
    return ticks


def _flock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            raise AlreadyRunning(_who_runs(folder)) from None
        raise StoreSetupFailed(
            f"{folder} lies on a file system that cannot lock files ({error.strerror}), so that two systems could "
            "run on the same data: set DATA_DIR to a local disk"
        ) from error


def _who_runs(folder: Path) -> str:
    record = read_system(folder.parent)
    if record is None:
        return (
            f"a system is already using {folder.parent}, perhaps in another container or just starting: "
            "stop it there, or set DATA_DIR to another folder"
        )
    where = f" at {record.api_url}" if record.api_url else ""
    return (
        f"a system is already {record.state.value}{where} on {folder.parent} (process {record.pid}): use it, end it "
        "with `hsi down`, or set DATA_DIR to another folder"
    )


def _record_file(data_dir: Path) -> Path:
    return Path(data_dir).expanduser().resolve() / "run" / "system.json"


def _write(path: Path, record: SystemRecord) -> None:
    """In one step, so that a reader sees the old record or the new one; owner only from the first byte."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(record.model_dump(mode="json"), file, indent=2)
    fresh.replace(path)
