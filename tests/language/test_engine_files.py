"""What engines put on the disk goes with their process, and what a killed one left goes with the next."""

import errno
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from language.engine_files import EngineFiles, _folder
from language.errors import ModelUnusable

PROGRAM = """
import os, sys
from language.engine_files import EngineFiles

def tell():
    print(os.environ.get("VLLM_RPC_BASE_PATH"), os.environ.get("VLLM_LOGGING_CONFIG_PATH"), flush=True)

files = EngineFiles()
tell()
for line in sys.stdin:
    if line.strip() == "close":
        files.close()
    else:
        files = EngineFiles()
    tell()
"""


class Process:
    """One that has made its files."""

    def __init__(self, place: Path, **environment: str) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("VLLM_")}
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            env=inherited | {"TMPDIR": str(place)} | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.sockets, self.logging = self._said()

    def closed(self) -> list[str]:
        return self._does("close")

    def again(self) -> list[str]:
        """The files of its next engine."""
        return self._does("open")

    def _does(self, what: str) -> list[str]:
        assert self._process.stdin is not None
        print(what, file=self._process.stdin, flush=True)
        return self._said()

    def end(self) -> None:
        self._process.communicate()
        assert self._process.returncode == 0

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _said(self) -> list[str]:
        assert self._process.stdout is not None
        return self._process.stdout.readline().split()


def bound(path: Path) -> None:
    """A socket's file, as whoever is killed leaves it."""
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A temporary folder whose name is short enough for sockets."""
    return tmp_path_factory.mktemp("t")


def test_they_stand_in_one_folder_that_goes_with_the_process(place: Path) -> None:
    process = Process(place)
    folder = Path(process.sockets)
    assert (folder.parent, Path(process.logging).parent) == (place, folder)
    bound(folder / "a")
    process.end()
    assert list(place.iterdir()) == []


def test_an_engine_that_is_stopped_leaves_no_socket_and_no_word_in_the_environment(place: Path) -> None:
    process = Process(place)
    folder = Path(process.sockets)
    bound(folder / "a")
    assert process.closed() == ["None", "None"]
    assert not [path for path in folder.iterdir() if path.is_socket()]
    process.end()


def test_a_folder_that_the_machine_has_tidied_up_is_made_again(place: Path) -> None:
    process = Process(place)
    shutil.rmtree(process.sockets)
    assert process.closed() == ["None", "None"]
    assert process.again() == [process.sockets, process.logging]
    assert Path(process.logging).exists()
    process.end()


def test_what_a_killed_process_left_goes_with_the_next_and_what_a_living_one_has_stays(place: Path) -> None:
    living, killed = Process(place), Process(place)
    bound(Path(killed.sockets) / "a")
    killed.kill()
    following = Process(place)
    assert set(place.iterdir()) == {Path(living.sockets), Path(following.sockets)}
    living.end()
    following.end()


def test_a_folder_of_the_same_name_without_a_lock_is_somebody_elses(place: Path) -> None:
    (place / "hsi-vllm-mine").mkdir()
    Process(place).end()
    assert [path.name for path in place.iterdir()] == ["hsi-vllm-mine"]


def test_whoever_chose_a_place_keeps_it(place: Path) -> None:
    chosen = {"VLLM_RPC_BASE_PATH": "/run/mine", "VLLM_LOGGING_CONFIG_PATH": "/etc/mine.json"}
    process = Process(place, **chosen)
    assert [process.sockets, process.logging] == list(chosen.values())
    assert process.closed() == list(chosen.values())
    process.end()


def test_the_folder_of_the_process_above_is_not_taken_for_a_choice(place: Path) -> None:
    above = Process(place)
    below = Process(place, VLLM_RPC_BASE_PATH=above.sockets, VLLM_LOGGING_CONFIG_PATH=above.logging)
    assert Path(below.sockets) != Path(above.sockets)
    below.end()
    above.end()


def test_a_path_too_long_for_a_socket_is_not_given_to_vllm(place: Path) -> None:
    deep = place / ("d" * 80)
    deep.mkdir()
    process = Process(deep)
    assert process.sockets == "None"
    assert Path(process.logging).parent.parent == deep
    process.end()


def test_a_temporary_folder_that_takes_nothing_is_named_with_the_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: str) -> str:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("language.engine_files.tempfile.mkdtemp", full)
    monkeypatch.setattr("language.engine_files._folder", _folder.__wrapped__)
    with pytest.raises(
        ModelUnusable, match=r"nothing can be written below /\S+ \(No space left on device\): mend that"
    ):
        EngineFiles()
