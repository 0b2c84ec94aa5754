"""Pictures of detections and cameras: what is shown, what is never shown, and what is kept."""

import asyncio
import os
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.api.drawn import decoded, write_clip, write_picture
from tests.storage.rows import Rows


@pytest.fixture
async def folder(rows: Rows, camera_root: Path) -> Path:
    await rows.camera("front_door", folder_path=str(camera_root / "front_door"))
    return camera_root / "front_door"


async def _seen_in(rows: Rows, file: Path, **values: object) -> int:
    media = await rows.media(file=file, media_type="video" if file.suffix == ".mp4" else "image")
    return await rows.detection(await rows.batch(), media, **values)


@pytest.mark.parametrize(
    ("name", "kind"), [("a.jpg", "image/jpeg"), ("a.png", "image/png"), ("png in a.jpg", "image/png")]
)
async def test_a_picture_is_shown_byte_for_byte(
    api: httpx.AsyncClient, rows: Rows, folder: Path, name: str, kind: str
) -> None:
    file = write_picture(folder / ("x.png" if kind == "image/png" else "x.jpg")).rename(folder / name)
    answer = await api.get(f"/api/detections/{await _seen_in(rows, file)}/image")
    assert answer.status_code == 200
    assert answer.content == file.read_bytes()
    assert answer.headers["content-type"] == kind
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "private, max-age=3600"


async def test_head_says_what_get_would(api: httpx.AsyncClient, rows: Rows, folder: Path) -> None:
    file = write_picture(folder / "a.jpg")
    answer = await api.head(f"/api/detections/{await _seen_in(rows, file)}/image")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(file.stat().st_size)
    assert answer.headers["etag"]


async def test_a_picture_that_the_client_has_is_not_sent_again(
    api: httpx.AsyncClient, rows: Rows, folder: Path
) -> None:
    detection = await _seen_in(rows, write_picture(folder / "a.jpg"))
    for path in (
        f"/api/detections/{detection}/image",
        f"/api/detections/{detection}/thumbnail",
        "/api/cameras/front_door/snapshot",
    ):
        tag = (await api.get(path)).headers["etag"]
        for known in (tag, f'"other", W/{tag}', "*"):
            again = await api.get(path, headers={"If-None-Match": known})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert (await api.get(path, headers={"If-None-Match": '"other"'})).status_code == 200


async def test_boxes_are_drawn_on_everything_that_was_seen(api: httpx.AsyncClient, rows: Rows, folder: Path) -> None:
    file = write_picture(folder / "a.jpg")
    media = await rows.media(file=file, width=640, height=360)
    batch = await rows.batch()
    person = await rows.detection(batch, media, x=250, y=100, width=100, height=200)
    await rows.detection(batch, media, x=400, y=100, width=100, height=100, object_type="dog")
    plain = await api.get(f"/api/detections/{person}/image")
    boxed = await api.get(f"/api/detections/{person}/image", params={"boxes": "true"})
    difference = np.abs(decoded(boxed.content).astype(int) - decoded(plain.content).astype(int)).max(axis=2) > 20
    assert boxed.headers["content-type"] == "image/jpeg"
    assert difference[150:250, 248:253].any(axis=1).all()
    assert difference[120:180, 398:403].any(axis=1).all()
    assert not difference[320:, :90].any()
    assert boxed.headers["etag"] != plain.headers["etag"]


async def test_of_a_clip_the_frame_is_shown_in_which_it_was_seen(
    api: httpx.AsyncClient, rows: Rows, folder: Path
) -> None:
    clip = write_clip(folder / "a.mp4")
    media = await rows.media(file=clip, media_type="video", width=320, height=240)
    batch = await rows.batch()
    early = await rows.detection(batch, media, frame_offset_seconds=0.0)
    late = await rows.detection(batch, media, frame_offset_seconds=4.0)
    brightness = [
        decoded((await api.get(f"/api/detections/{detection}/image")).content).mean() for detection in (early, late)
    ]
    assert brightness == pytest.approx([20, 140], abs=6)


async def test_a_thumbnail_is_small_and_outlives_the_picture(
    api: httpx.AsyncClient, rows: Rows, folder: Path, tmp_path: Path
) -> None:
    file = write_picture(folder / "a.jpg", 1280, 720)
    path = f"/api/detections/{await _seen_in(rows, file)}/thumbnail"
    first = await api.get(path)
    assert decoded(first.content).shape == (180, 320, 3)
    file.unlink()
    second = await api.get(path)
    assert second.content == first.content
    kept = list((tmp_path / "data" / "thumbnails").rglob("*"))
    assert [place.suffix for place in kept if place.is_file()] == [".jpg"]


async def test_a_thumbnail_of_which_half_was_written_is_made_again(
    api: httpx.AsyncClient, rows: Rows, folder: Path, tmp_path: Path
) -> None:
    path = f"/api/detections/{await _seen_in(rows, write_picture(folder / 'a.jpg'))}/thumbnail"
    whole = (await api.get(path)).content
    kept = next((tmp_path / "data" / "thumbnails").rglob("*.jpg"))
    kept.write_bytes(whole[: len(whole) // 2])
    assert (await api.get(path)).content == whole
    assert kept.read_bytes() == whole


async def test_a_thumbnail_that_cannot_be_kept_is_shown_all_the_same(
    api: httpx.AsyncClient, rows: Rows, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "thumbnails").write_text("a file is in the way")
    answer = await api.get(f"/api/detections/{await _seen_in(rows, write_picture(folder / 'a.jpg'))}/thumbnail")
    assert answer.status_code == 200


async def test_many_ask_for_one_thumbnail_at_once(api: httpx.AsyncClient, rows: Rows, folder: Path) -> None:
    path = f"/api/detections/{await _seen_in(rows, write_picture(folder / 'a.jpg'))}/thumbnail"
    answers = await asyncio.gather(*(api.get(path) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1


async def _is_not_shown(api: httpx.AsyncClient, detection: int) -> None:
    for what in ("image", "image?boxes=true", "thumbnail"):
        answer = await api.get(f"/api/detections/{detection}/{what}")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        assert "/" not in answer.json()["detail"]


async def test_a_picture_that_was_deleted_or_overwritten_is_not_shown(
    api: httpx.AsyncClient, rows: Rows, folder: Path
) -> None:
    deleted, overwritten = write_picture(folder / "a.jpg"), write_picture(folder / "b.jpg")
    detections = [await _seen_in(rows, file) for file in (deleted, overwritten)]
    deleted.unlink()
    write_picture(overwritten, 320, 200)
    for detection in detections:
        await _is_not_shown(api, detection)


async def test_a_file_outside_the_camera_root_is_not_shown(
    api: httpx.AsyncClient, rows: Rows, folder: Path, tmp_path: Path
) -> None:
    outside = write_picture(tmp_path / "secret.jpg")
    folder.mkdir(exist_ok=True)
    (folder / "link.jpg").symlink_to(outside)
    (folder.parent / "linked").symlink_to(tmp_path)
    os.utime(folder / "link.jpg", ns=(1, outside.stat().st_mtime_ns), follow_symlinks=False)
    dotted = folder / ".." / ".." / "secret.jpg"
    for file in (outside, folder / "link.jpg", folder.parent / "linked" / "secret.jpg", dotted):
        await _is_not_shown(api, await _seen_in(rows, file))


async def test_what_is_no_regular_file_is_not_shown_and_holds_nobody_up(
    api: httpx.AsyncClient, rows: Rows, folder: Path
) -> None:
    folder.mkdir()
    os.mkfifo(folder / "pipe.jpg")
    await _is_not_shown(api, await _seen_in(rows, folder / "pipe.jpg"))
    await _is_not_shown(api, await _seen_in(rows, folder))


async def test_a_picture_that_cannot_be_decoded_says_why(api: httpx.AsyncClient, rows: Rows, folder: Path) -> None:
    file = write_picture(folder / "a.jpg")
    file.write_bytes(file.read_bytes()[:2000])
    detection = await _seen_in(rows, file)
    answer = await api.get(f"/api/detections/{detection}/image", params={"boxes": "true"})
    assert answer.status_code == 404
    assert answer.json()["detail"] == "The picture cannot be shown: the JPEG is cut off: its end is missing."


async def test_a_picture_that_is_far_too_large_is_not_read(api: httpx.AsyncClient, rows: Rows, folder: Path) -> None:
    file = write_picture(folder / "a.jpg")
    os.truncate(file, 100_000_000)
    await rows.media(file=file, state="queued")
    answer = await api.get("/api/cameras/front_door/snapshot")
    assert answer.json()["detail"] == "The picture cannot be shown: it has 100 MB, more than can be shown."


async def test_names_with_every_kind_of_sign_are_shown(api: httpx.AsyncClient, rows: Rows, folder: Path) -> None:
    for name in ("a b.jpg", "quote'\".jpg", "neue\nzeile.jpg", "日本.jpg", os.fsdecode(b"caf\xe9.jpg")):
        write_picture(folder / "x.jpg").rename(folder / name)
        assert (await api.get(f"/api/detections/{await _seen_in(rows, folder / name)}/image")).status_code == 200


async def test_the_snapshot_is_the_newest_picture_as_jpeg(api: httpx.AsyncClient, rows: Rows, folder: Path) -> None:
    await rows.media(file=write_picture(folder / "old.jpg"))
    newest = write_picture(folder / "new.png", 320, 200)
    await rows.media(file=newest)
    answer = await api.get("/api/cameras/front_door/snapshot")
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "private, no-cache"
    assert decoded(answer.content).shape == (200, 320, 3)


async def test_the_snapshot_of_a_jpeg_is_the_file_and_of_a_clip_a_frame(
    api: httpx.AsyncClient, rows: Rows, folder: Path
) -> None:
    picture = write_picture(folder / "a.jpg")
    await rows.media(file=picture)
    assert (await api.get("/api/cameras/front_door/snapshot")).content == picture.read_bytes()
    await rows.media(file=write_clip(folder / "a.mp4"), media_type="video")
    assert decoded((await api.get("/api/cameras/front_door/snapshot")).content).shape == (240, 320, 3)


async def test_a_camera_that_never_sent_anything_has_no_snapshot(api: httpx.AsyncClient, folder: Path) -> None:
    answer = await api.get("/api/cameras/front_door/snapshot")
    assert (answer.status_code, answer.json()["detail"]) == (404, "camera front_door has not sent a picture yet")
    assert (await api.get("/api/cameras/nobody/snapshot")).json()["detail"] == "there is no camera nobody"
