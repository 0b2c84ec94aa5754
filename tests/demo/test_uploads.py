import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from demo.uploads import Arrival, delete_oldest, upload, upload_name

CONTENT = bytes(range(256)) * 400


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


async def sizes_seen(folder: Path, arrival: Arrival) -> list[dict[str, int]]:
    """What a listing of the folder shows after each step of one upload."""
    task = asyncio.create_task(upload(folder, "a.jpg", CONTENT, arrival, 0.0))
    listings = []
    while not task.done():
        listings.append({name: len(content) for name, content in files(folder).items()})
        await asyncio.sleep(0)
    await task
    return listings


@pytest.mark.parametrize(("arrival", "growing"), [(Arrival.DOT_FILE, ".a.jpg"), (Arrival.PART, "a.jpg.part")])
async def test_the_final_name_appears_only_when_the_file_is_whole(
    tmp_path: Path, arrival: Arrival, growing: str
) -> None:
    listings = await sizes_seen(tmp_path, arrival)
    assert any(0 < listing.get(growing, 0) < len(CONTENT) for listing in listings)
    assert {listing["a.jpg"] for listing in listings if "a.jpg" in listing} <= {len(CONTENT)}
    assert files(tmp_path) == {"a.jpg": CONTENT}


async def test_a_direct_upload_grows_under_its_own_name(tmp_path: Path) -> None:
    sizes = [listing["a.jpg"] for listing in await sizes_seen(tmp_path, Arrival.DIRECT) if "a.jpg" in listing]
    assert sizes == sorted(sizes)
    assert 0 < sizes[0] < len(CONTENT)
    assert (tmp_path / "a.jpg").read_bytes() == CONTENT


async def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    whole = await upload(tmp_path / "new" / "Front Door", "a.jpg", CONTENT, Arrival.PART, 0.0)
    assert whole.read_bytes() == CONTENT


@pytest.mark.parametrize(("arrival", "growing"), [(Arrival.DOT_FILE, ".a.jpg"), (Arrival.PART, "a.jpg.part")])
async def test_a_full_disk_raises_and_leaves_nothing_behind(tmp_path: Path, arrival: Arrival, growing: str) -> None:
    # The kernel's own full device stands in for the disk.
    (tmp_path / growing).symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        await upload(tmp_path, "a.jpg", CONTENT, arrival, 0.0)
    assert files(tmp_path) == {}


async def test_an_upload_that_is_broken_off_leaves_nothing_behind(tmp_path: Path) -> None:
    task = asyncio.create_task(upload(tmp_path, "a.jpg", CONTENT, Arrival.DOT_FILE, 60.0))
    while not files(tmp_path):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert files(tmp_path) == {}


def test_the_name_tells_camera_and_time() -> None:
    moment = datetime(2026, 11, 22, 6, 46, 2, 45_999, UTC)
    assert upload_name("Front Door", moment, ".jpg") == "Front Door_20261122T064602045.jpg"


def _uploads(folder: Path, changed: list[float]) -> None:
    for number, seconds in enumerate(changed):
        path = folder / f"Yard_20261122T06460{number}000.jpg"
        path.write_bytes(b"x")
        os.utime(path, (seconds, seconds))


def _left(folder: Path) -> set[float]:
    return {path.stat().st_mtime for path in folder.iterdir()}


def test_the_oldest_uploads_beyond_the_limit_go(tmp_path: Path) -> None:
    _uploads(tmp_path, [40.0, 10.0, 30.0, 20.0])
    assert delete_oldest(tmp_path, keep_files=2, older_than=100.0) == 2
    assert _left(tmp_path) == {30.0, 40.0}


def test_young_uploads_stay_however_many(tmp_path: Path) -> None:
    _uploads(tmp_path, [10.0, 20.0, 30.0])
    assert delete_oldest(tmp_path, keep_files=0, older_than=15.0) == 1
    assert _left(tmp_path) == {20.0, 30.0}


def test_within_the_limit_nothing_goes(tmp_path: Path) -> None:
    _uploads(tmp_path, [10.0, 20.0])
    assert delete_oldest(tmp_path, keep_files=2, older_than=100.0) == 0


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"mine")
    os.utime(tmp_path / "holiday.jpg", (1.0, 1.0))
    _uploads(tmp_path, [10.0])
    assert delete_oldest(tmp_path, keep_files=0, older_than=100.0) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]


def test_an_upload_that_somebody_else_deleted_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "Yard_20261122T064609000.jpg").symlink_to(tmp_path / "gone")
    _uploads(tmp_path, [10.0, 20.0])
    assert delete_oldest(tmp_path, keep_files=2, older_than=100.0) == 1
