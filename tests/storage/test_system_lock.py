"""One system a DATA_DIR, found by whoever asks, and forgotten when it died."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from storage.errors import AlreadyRunning, StoreSetupFailed
from storage.system_lock import SystemLock, SystemState, acquire, read_system, start_ticks
from tests.storage.embedded_stores import ROOT

HOLDER = """
import sys, time
from pathlib import Path
from storage.system_lock import SystemState, acquire
lock = acquire(Path(sys.argv[1]))
lock.update(api_url="http://127.0.0.1:8000", state=SystemState.RUNNING)
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[SystemLock]:
    lock = acquire(tmp_path)
    yield lock
    lock.release()


@pytest.fixture
def holder(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that is the system of this DATA_DIR."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])}
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_nothing_runs_where_nothing_was_started(tmp_path: Path) -> None:
    assert read_system(tmp_path) is None
    assert read_system(tmp_path / "nowhere") is None


def test_the_system_is_found_by_others(lock: SystemLock, tmp_path: Path) -> None:
    record = read_system(tmp_path)
    assert record == lock.record
    assert record is not None
    assert (record.pid, record.state) == (os.getpid(), SystemState.STARTING)


def test_what_it_says_of_itself_can_change(lock: SystemLock, tmp_path: Path) -> None:
    lock.update(api_url="http://127.0.0.1:8000", state=SystemState.RUNNING)
    record = read_system(tmp_path)
    assert record is not None
    assert (record.api_url, record.state) == ("http://127.0.0.1:8000", SystemState.RUNNING)


def test_an_unknown_field_is_refused(lock: SystemLock) -> None:
    with pytest.raises(ValidationError):
        lock.update(api_uri="http://127.0.0.1:8000")


def test_the_record_is_its_owners_only(lock: SystemLock, tmp_path: Path) -> None:
    lock.update(database_url="postgresql://hsi:secret@127.0.0.1/hsi")
    assert stat.S_IMODE((tmp_path / "run" / "system.json").stat().st_mode) == 0o600


def test_a_second_system_is_refused_and_told_of_the_first(holder: "subprocess.Popen[str]", tmp_path: Path) -> None:
    with pytest.raises(AlreadyRunning) as refused:
        acquire(tmp_path)
    for words in (str(holder.pid), "http://127.0.0.1:8000", "hsi down"):
        assert words in str(refused.value)


def test_another_data_dir_is_another_system(lock: SystemLock, tmp_path: Path) -> None:
    acquire(tmp_path / "other").release()


def test_the_same_folder_by_another_path_is_the_same_system(lock: SystemLock, tmp_path: Path) -> None:
    link = tmp_path.with_name(tmp_path.name + "-link")
    link.symlink_to(tmp_path)
    with pytest.raises(AlreadyRunning):
        acquire(link)


def test_a_system_that_ended_is_gone_and_the_next_may_start(tmp_path: Path) -> None:
    with acquire(tmp_path):
        pass
    assert read_system(tmp_path) is None
    acquire(tmp_path).release()


def test_a_system_that_was_killed_is_gone_and_the_next_may_start(
    holder: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    assert read_system(tmp_path) is not None
    holder.kill()
    holder.wait()
    assert read_system(tmp_path) is None
    with acquire(tmp_path) as lock:
        assert read_system(tmp_path) == lock.record


def test_a_killed_system_whose_process_id_was_given_to_another_is_gone(lock: SystemLock, tmp_path: Path) -> None:
    file = tmp_path / "run" / "system.json"
    stale = json.loads(file.read_text()) | {"started_ticks": lock.record.started_ticks - 1}
    file.write_text(json.dumps(stale))
    assert read_system(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "x"}', "\x00\x01"])
def test_a_record_that_makes_no_sense_is_no_system(tmp_path: Path, text: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "system.json").write_text(text)
    assert read_system(tmp_path) is None


def test_a_second_system_is_refused_even_where_the_first_cannot_be_read(lock: SystemLock, tmp_path: Path) -> None:
    (tmp_path / "run" / "system.json").write_text("{")
    with pytest.raises(AlreadyRunning, match="set DATA_DIR"):
        acquire(tmp_path)


def test_a_child_program_does_not_hold_the_lock_after_us(tmp_path: Path) -> None:
    lock = acquire(tmp_path)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        lock.release()
        acquire(tmp_path).release()
        child.kill()


def test_a_data_dir_that_is_a_file_is_refused_with_the_mend(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(StoreSetupFailed, match="make DATA_DIR a folder"):
        acquire(tmp_path / "data")


def test_the_start_of_a_process_that_does_not_exist_is_none() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    assert start_ticks(ended.pid) is None
    assert start_ticks(os.getpid()) is not None
