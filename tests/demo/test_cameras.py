import asyncio
import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from demo.cameras import CAMERAS, DemoCameras
from demo.evaluate import onnx_detector

LEAST_BYTES = 10 * 1024


def quick(root: Path, **settings: float) -> DemoCameras:
    chosen: dict[str, float] = {"interval_seconds": 0.01, "chunk_seconds": 0.0, "clip_share": 0.0, **settings}
    return DemoCameras(root, 3, **chosen)  # type: ignore[arg-type]


async def run_until(cameras: DemoCameras, met: Callable[[], bool]) -> None:
    """Lets the cameras run until the condition holds; gives up, loudly, after a minute."""
    stop = asyncio.Event()
    running = asyncio.create_task(cameras.run(stop))
    async with asyncio.timeout(60):
        while not met() and not running.done():
            await asyncio.sleep(0.005)
        stop.set()
        await running


def uploads(root: Path, pattern: str = "*.jpg") -> list[Path]:
    return sorted(path for path in root.glob(f"*/{pattern}") if not path.name.startswith("."))


def folders(root: Path) -> dict[str, list[str]]:
    return {folder.name: [path.name for path in folder.iterdir()] for folder in root.iterdir()}


async def test_every_camera_uploads_into_its_own_folder(tmp_path: Path) -> None:
    await run_until(quick(tmp_path), lambda: len({path.parent.name for path in uploads(tmp_path)}) == 3)
    assert set(folders(tmp_path)) == set(CAMERAS)


async def test_the_first_upload_shows_a_person_at_the_front_door(tmp_path: Path) -> None:
    await run_until(quick(tmp_path, interval_seconds=30.0, chunk_seconds=0.001), lambda: bool(uploads(tmp_path)))
    (first,) = uploads(tmp_path)
    assert first.parent.name == "Front Door"
    picture = cv2.imread(str(first))
    assert picture is not None
    assert any(box.object_type == "person" and box.confidence > 0.5 for box in onnx_detector()(picture))


async def test_pictures_are_whole_jpegs_that_the_system_takes(tmp_path: Path) -> None:
    await run_until(quick(tmp_path), lambda: len(uploads(tmp_path)) >= 24)
    for path in uploads(tmp_path):
        picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        assert picture.shape == (720, 1280, 3)
        assert path.stat().st_size >= LEAST_BYTES


async def test_nothing_half_written_is_left_when_the_cameras_stop(tmp_path: Path) -> None:
    await run_until(quick(tmp_path, chunk_seconds=0.001), lambda: ".part" in str(folders(tmp_path)))
    left = [name for names in folders(tmp_path).values() for name in names]
    assert [name for name in left if name.startswith(".") or name.endswith(".part")] == []


async def test_a_clip_comes_at_the_end_of_a_story(tmp_path: Path) -> None:
    await run_until(quick(tmp_path, clip_share=1.0), lambda: bool(uploads(tmp_path, "*.mp4")))
    assert uploads(tmp_path, "*.mp4")[0].stat().st_size > 1024


async def test_the_same_seed_uploads_the_same_first_scene(tmp_path: Path) -> None:
    pictures = []
    for name in ("one", "other"):
        await run_until(quick(tmp_path / name, interval_seconds=30.0), lambda: bool(uploads(tmp_path / name)))  # noqa: B023
        picture = cv2.imread(str(uploads(tmp_path / name)[0]))
        assert picture is not None
        pictures.append(picture[60:])
    # Below the caption, which tells the time.
    assert np.array_equal(pictures[0], pictures[1])


async def test_old_uploads_make_room(tmp_path: Path) -> None:
    cameras = quick(tmp_path, keep_files=5, keep_seconds=0.0)
    sent: set[Path] = set()

    def enough() -> bool:
        sent.update(uploads(tmp_path))
        return len([path for path in sent if path.parent.name == "Front Door"]) > 8

    await run_until(cameras, enough)
    assert len(uploads(tmp_path)) < len(sent)
    assert all(len(names) <= 6 for names in folders(tmp_path).values())


async def test_a_folder_that_vanishes_is_made_again(tmp_path: Path) -> None:
    removed = False

    def met() -> bool:
        nonlocal removed
        if not removed and uploads(tmp_path):
            shutil.rmtree(tmp_path / "Front Door", ignore_errors=True)
            removed = True
            return False
        return removed and any(path.parent.name == "Front Door" for path in uploads(tmp_path))

    await run_until(quick(tmp_path), met)


async def test_a_folder_that_cannot_be_written_is_logged_once_and_the_others_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "Front Door").write_text("a file where the folder should be")
    with caplog.at_level(logging.INFO, "demo.cameras"):
        await run_until(quick(tmp_path), lambda: len(uploads(tmp_path)) >= 8)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "Front Door cannot upload" in caplog.text


async def test_a_camera_says_when_it_uploads_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    blocked = tmp_path / "Front Door"
    blocked.write_text("a file where the folder should be")

    def met() -> bool:
        if blocked.is_file() and "cannot upload" in caplog.text:
            blocked.unlink()
        return "uploads again" in caplog.text

    with caplog.at_level(logging.INFO, "demo.cameras"):
        await run_until(quick(tmp_path), met)
