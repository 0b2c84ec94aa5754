"""Where our own servers keep their files, and what an operator is told when that cannot be."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.embedded import EmbeddedPostgres, EmbeddedRedis
from storage.embedded_home import OUTSIDE, open_home, programs, require_space, setup_errors
from storage.errors import StoreSetupFailed
from tests.storage.embedded_stores import IS_ROOT, ask
from tests.stores import data_folder


@pytest.fixture
def folder() -> Iterator[Path]:
    with data_folder() as folder:
        yield folder


@pytest.fixture
def private(folder: Path) -> Path:
    """A DATA_DIR in a folder that only we may enter, as /root is."""
    home = folder / "root"
    home.mkdir(mode=0o700)
    return home / "project" / "data"


def test_files_lie_in_data_dir(folder: Path) -> None:
    assert open_home(folder / "data", "redis").directory == folder / "data" / "redis"


def test_a_data_dir_that_the_servers_user_cannot_enter_serves_as_well(private: Path, folder: Path) -> None:
    server = EmbeddedPostgres(private, outside=folder / "outside")
    address = server.start()
    ask(address, "CREATE TABLE kept AS SELECT 1 AS one")
    server.stop()
    again = EmbeddedPostgres(private, outside=folder / "outside")
    assert again.start() == address
    assert ask(address, "SELECT one FROM kept") == 1
    again.stop()


def test_then_the_files_lie_outside_and_a_link_says_where(private: Path, folder: Path) -> None:
    server = EmbeddedRedis(private, outside=folder / "outside")
    server.start()
    server.stop()
    assert (private / "redis").is_symlink() == IS_ROOT  # who is not root runs the server himself, and in place
    assert (private / "redis" / "data" / "appendonly.aof").exists()


def test_a_data_dir_that_was_deleted_begins_anew_and_deletes_nothing_outside(private: Path, folder: Path) -> None:
    first = open_home(private, "redis", folder / "outside").directory
    (first / "mark").write_text("")
    place = private / "redis"
    place.unlink() if IS_ROOT else place.rename(private / "moved")
    second = open_home(private, "redis", folder / "outside").directory
    assert not (second / "mark").exists()
    assert len(list(folder.rglob("mark"))) == 1


def test_a_link_to_files_that_are_gone_is_refused(folder: Path) -> None:
    (folder / "redis").symlink_to(folder / "gone")
    with pytest.raises(StoreSetupFailed, match="is gone"):
        open_home(folder, "redis")


def test_programs_that_the_servers_user_cannot_reach_are_copied_once(private: Path, folder: Path) -> None:
    # The wheel's real files, installed where only we may go.
    site = private / "site-packages"
    (site / "brought").mkdir(parents=True)
    (site / "brought" / "__init__.py").write_text("")
    (site / "brought" / "server").write_text("#!/bin/sh\n")
    (site / "brought" / "server").chmod(0o700)
    information = site / "brought-1.2.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: brought\nVersion: 1.2\n")
    home = open_home(folder / "data", "redis")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(site))
        found = programs(home, "brought", ("brought",), "brought/server")
        assert programs(home, "brought", ("brought",), "brought/server") == found
    assert found == (home.directory / "programs-1.2" if IS_ROOT else site)


def test_a_package_that_is_not_installed_is_named(folder: Path) -> None:
    home = open_home(folder, "redis")
    with pytest.raises(StoreSetupFailed, match="absent_package is not installed"):
        programs(home, "absent_package", (), "absent_package/server")


def test_a_disk_without_room_is_refused_before_anything_is_made(folder: Path) -> None:
    with pytest.raises(StoreSetupFailed, match=r"is full: \d+ MB are free, at least 1000000000 MB are needed"):
        require_space(folder, 1_000_000_000)


def test_a_disk_that_fills_up_meanwhile_is_told_as_such(folder: Path) -> None:
    def fill() -> None:
        with setup_errors(folder), open("/dev/full", "wb", buffering=0) as file:
            file.write(b"x")

    with pytest.raises(StoreSetupFailed, match="is full"):
        fill()


def test_the_usual_place_outside_is_the_systems(folder: Path) -> None:
    assert Path("/var/lib") == OUTSIDE
    assert os.path.isdir(OUTSIDE)
