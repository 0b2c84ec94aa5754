"""Our servers' processes: apart from the terminal, without our secrets, ended for certain, with short logs."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from storage.child_process import ChildProcess, end_leftovers, trim_log
from storage.embedded_account import permits, service_account
from tests.eventually import eventually_sync
from tests.storage.embedded_stores import IS_ROOT

STUBBORN = 'trap "" TERM; echo deaf; while :; do sleep 0.1; done'


@pytest.fixture
def children() -> Iterator[list[ChildProcess]]:
    started: list[ChildProcess] = []
    yield started
    for child in started:
        child.stop([(signal.SIGKILL, 10.0)])


def start(children: list[ChildProcess], tmp_path: Path, *argv: str) -> ChildProcess:
    child = ChildProcess(argv, None, signal.SIGTERM, tmp_path / "child.log")
    children.append(child)
    return child


def is_running_program(child: ChildProcess, name: str) -> bool:
    return bool(psutil.Process(child.pid).name() == name)


def test_ctrl_c_in_the_terminal_does_not_reach_it(children: list[ChildProcess], tmp_path: Path) -> None:
    child = start(children, tmp_path, "/bin/sleep", "600")
    assert os.getsid(child.pid) == child.pid != os.getsid(0)


def test_it_gets_nothing_of_our_environment(
    children: list[ChildProcess], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "secret")
    child = start(children, tmp_path, "/bin/sleep", "600")
    eventually_sync(lambda: is_running_program(child, "sleep"))
    assert "SMTP_PASSWORD" not in psutil.Process(child.pid).environ()


def test_a_child_that_does_not_listen_is_ended_by_force(children: list[ChildProcess], tmp_path: Path) -> None:
    child = start(children, tmp_path, "/bin/sh", "-c", STUBBORN)
    eventually_sync(lambda: child.said() == "deaf")
    child.stop([(signal.SIGTERM, 0.2), (signal.SIGKILL, 10.0)])
    assert not child.is_running()


def test_a_program_that_is_missing_leaves_a_word_about_it(children: list[ChildProcess], tmp_path: Path) -> None:
    child = start(children, tmp_path, "/nowhere/server")
    eventually_sync(lambda: not child.is_running())
    assert "No such file" in child.said()


def test_it_says_only_what_it_said_since_it_was_started(children: list[ChildProcess], tmp_path: Path) -> None:
    (tmp_path / "child.log").write_text("an earlier one\n")
    child = start(children, tmp_path, "/bin/echo", "hello")
    eventually_sync(lambda: not child.is_running())
    assert child.said() == "hello"


def test_another_program_in_the_same_folder_is_no_leftover(children: list[ChildProcess], tmp_path: Path) -> None:
    child = start(children, tmp_path, "/bin/sh", "-c", f"cd '{tmp_path}' && exec sleep 600")
    eventually_sync(lambda: is_running_program(child, "sleep"))
    assert end_leftovers(tmp_path, "postgres", [(signal.SIGKILL, 1.0)]) == 0
    assert child.is_running()


def test_a_log_that_has_grown_long_is_cut_and_its_writer_writes_on(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"first\n" + b"x" * 5_000_000 + b"\nlast\n")
        trim_log(log)
        writer.write(b"next\n")
    assert log.read_text() == "next\n"
    kept = (tmp_path / "server.log.1").read_bytes()
    assert kept.endswith(b"\nlast\n")
    assert len(kept) == 5_000_000


def test_a_short_log_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "server.log").write_text("short\n")
    trim_log(tmp_path / "server.log")
    trim_log(tmp_path / "absent.log")
    assert [path.name for path in tmp_path.iterdir()] == ["server.log"]


def test_root_runs_servers_as_another_user_and_everybody_else_as_himself(tmp_path: Path) -> None:
    account = service_account(tmp_path / "data")
    assert (account is not None) == IS_ROOT
    assert account is None or account.uid != 0


def test_a_folder_that_is_closed_to_the_servers_user_is_seen_as_closed(tmp_path: Path) -> None:
    account = service_account(tmp_path / "data")
    (tmp_path / "closed").mkdir(mode=0o700)
    assert permits(account, "x", tmp_path / "closed") == (not IS_ROOT)
    assert permits(account, "x", Path("/"))
