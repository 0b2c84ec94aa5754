"""The last look at a settled file."""

import hashlib
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from actors.intake import Intake, captured, look_at
from domain.file_stability import Settled
from schemas.media import MediaType
from tests.actors.watching import without_privileges
from tests.stores import data_folder

NOW = datetime.now(UTC) + timedelta(minutes=1)


def settled(path: Path, refused: str | None = None) -> Settled:
    status = path.lstat()
    return Settled(str(path), status.st_size, status.st_mtime_ns, MediaType.IMAGE, refused)


def a_file(folder: Path, content: bytes = b"picture") -> Path:
    path = folder / "a.jpg"
    path.write_bytes(content)
    return path


def test_a_file_is_known_by_the_hash_of_all_its_bytes(tmp_path: Path) -> None:
    content = os.urandom(3_000_000)
    seen = look_at(settled(a_file(tmp_path, content)), NOW)
    assert isinstance(seen, Intake)
    assert (seen.content_hash, seen.refused) == (hashlib.sha256(content).digest(), None)


def test_a_file_was_captured_when_it_was_written(tmp_path: Path) -> None:
    path = a_file(tmp_path)
    written = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)
    os.utime(path, (written.timestamp(), written.timestamp()))
    seen = look_at(settled(path), written + timedelta(hours=5))
    assert isinstance(seen, Intake)
    assert seen.captured_at == written


def test_a_file_that_changed_since_it_settled_settles_again(tmp_path: Path) -> None:
    path = a_file(tmp_path)
    before = settled(path)
    path.write_bytes(b"picture, and more of it")
    assert look_at(before, NOW) == settled(path)


def test_a_file_that_is_gone_is_nothing(tmp_path: Path) -> None:
    path = a_file(tmp_path)
    before = settled(path)
    path.unlink()
    assert look_at(before, NOW) is None


def test_a_file_that_was_refused_keeps_its_reason_and_is_not_read(tmp_path: Path) -> None:
    seen = look_at(settled(a_file(tmp_path), "7 bytes: too small"), NOW)
    assert isinstance(seen, Intake)
    assert (seen.content_hash, seen.refused) == (b"", "7 bytes: too small")


def test_a_symbolic_link_is_refused_wherever_it_leads(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").symlink_to("/etc/passwd")
    (tmp_path / "b.jpg").symlink_to(tmp_path / "nowhere")
    for name in ("a.jpg", "b.jpg"):
        seen = look_at(settled(tmp_path / name), NOW)
        assert isinstance(seen, Intake)
        assert (seen.content_hash, seen.refused) == (b"", "a symbolic link, which is not followed")


def test_a_pipe_that_poses_as_a_picture_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jpg")
    seen = look_at(settled(tmp_path / "a.jpg"), NOW)
    assert isinstance(seen, Intake)
    assert seen.refused == "not a regular file"


def test_a_file_without_permission_is_refused_with_that_reason() -> None:
    with data_folder() as folder:
        path = a_file(folder)
        path.chmod(0)
        before = settled(path)
        with without_privileges():
            seen = look_at(before, NOW)
    assert isinstance(seen, Intake)
    assert seen.refused == "cannot be read: Permission denied"


@pytest.mark.parametrize(
    ("written", "believed"),
    [
        (NOW.timestamp() - 60, True),
        (NOW.timestamp(), True),
        (NOW.timestamp() + 1, False),
        (NOW.timestamp() - 8 * 86_400, False),
        (0.0, False),
        (-1e9, False),
        (1e20, False),
        (float("nan"), False),
    ],
    ids=["a minute ago", "now", "in a second", "8 days ago", "1970", "1938", "never", "no number"],
)
def test_a_time_that_cannot_be_is_not_believed(written: float, believed: bool) -> None:
    expected = datetime.fromtimestamp(written, UTC) if believed else NOW
    assert captured(written, NOW) == expected


def test_a_file_from_beyond_what_a_row_can_hold_is_taken_all_the_same(tmp_path: Path) -> None:
    """A camera whose clock stands in the year 2400; nanoseconds since 1970 are then more than 64 bits."""
    path = a_file(tmp_path)
    os.utime(path, ns=(2**63 + 10**9, 2**63 + 10**9))
    seen = look_at(Settled(str(path), 7, 2**63 - 1, MediaType.IMAGE), NOW)
    assert isinstance(seen, Intake)
    assert (seen.captured_at, seen.refused) == (NOW, None)
