"""From queued rows over real files to what the aggregator is given."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.actors.bench import Bench
from tests.eventually import eventually
from tests.storage.pieces import LEASE, TRIES
from tests.vision.pictures import jpeg, scene, write_clip
from vision.errors import WrongFrameShape


async def test_what_is_found_goes_to_the_aggregator_in_the_pictures_own_pixels(bench: Bench) -> None:
    await bench.queued("a.jpg")
    await bench.worker.start()
    await bench.hands_over(1)
    (result,) = bench.aggregator.added
    assert (result.width, result.height, result.frames, result.camera_id) == (320, 180, 1, "front_door")
    assert result.captured_at == datetime(2025, 12, 23, 12, 0, tzinfo=UTC)
    assert result.lease == (await bench.row("a.jpg"))["lease"]
    (found,) = result.detections
    assert (found.object_type, found.confidence) == ("person", 0.9)
    assert (found.bbox.x, found.bbox.y, found.bbox.width, found.bbox.height) == (10.0, 20.0, 30.0, 40.0)


async def test_a_picture_without_anything_in_it_is_handed_over_too(bench: Bench) -> None:
    bench.detector.found = []
    await bench.queued("a.jpg")
    await bench.worker.start()
    await bench.hands_over(1)
    assert bench.aggregator.added[0].detections == ()


async def test_pictures_of_one_shape_are_looked_at_together(bench: Bench) -> None:
    await bench.queued(*(f"{n}.jpg" for n in range(8)))
    await bench.worker.start()
    await bench.hands_over(8)
    assert bench.detector.stacks == [(8, 192, 320, 3)]


async def test_pictures_of_several_shapes_are_each_given_their_own_boxes(bench: Bench) -> None:
    (bench.folder / "tall.jpg").write_bytes(jpeg(scene(320, 180)))
    await bench.queued("wide.jpg", "tall.jpg", "wide too.jpg")
    await bench.worker.start()
    await bench.hands_over(3)
    assert sorted(bench.detector.stacks) == [(1, 320, 192, 3), (2, 192, 320, 3)]
    assert [(one.width, one.height) for one in bench.aggregator.added] == [(320, 180), (180, 320), (320, 180)]


async def test_a_clip_is_handed_over_with_the_moment_of_each_detection(bench: Bench) -> None:
    write_clip(bench.folder / "a.mp4", seconds=10)
    await bench.queued("a.mp4")
    await bench.worker.start()
    await bench.hands_over(1)
    (result,) = bench.aggregator.added
    assert result.frames == 3
    offsets = [found.frame_offset_seconds for found in result.detections]
    assert offsets == pytest.approx([0, 4, 8], abs=0.5)
    assert result.length_seconds == offsets[-1]


async def test_unreadable_files_die_with_their_reason_and_the_others_of_the_claim_are_detected(bench: Bench) -> None:
    await bench.queued("cut.jpg", content=jpeg()[:-2_000])
    await bench.queued("text.jpg", content=b"no picture" * 2_000)
    await bench.queued("gone.jpg", "fine.jpg")
    (bench.folder / "gone.jpg").unlink()
    await bench.worker.start()
    await bench.hands_over(1)
    await bench.commit()
    await eventually(lambda: bench.states_are({"cut.jpg": "dead", "text.jpg": "dead", "gone.jpg": "dead"}))
    assert (await bench.states())["fine.jpg"] == "detected"
    assert "cut off" in (await bench.row("cut.jpg"))["reason"]
    assert (await bench.row("gone.jpg"))["reason"] == "the file is no longer there"
    assert (await bench.row("text.jpg"))["reason"]


async def test_an_overwritten_file_dies_with_that_reason(bench: Bench) -> None:
    await bench.queued("a.jpg")
    (bench.folder / "a.jpg").write_bytes(jpeg(scene(90, 160)))
    await bench.worker.start()
    await eventually(lambda: bench.states_are({"a.jpg": "dead"}))
    assert "overwritten" in (await bench.row("a.jpg"))["reason"]


async def test_unreadable_files_alone_say_nothing_of_the_detector(bench: Bench) -> None:
    await bench.queued(*(f"{n}.jpg" for n in range(5)), content=b"no picture" * 2_000)
    await bench.worker.start()
    await eventually(lambda: bench.states_are(dict.fromkeys((f"{n}.jpg" for n in range(5)), "dead")))
    (status,) = await bench.breakers.status()
    assert (status.success_count, status.failure_count) == (0, 0)
    assert bench.detector.stacks == []


async def test_after_another_model_was_loaded_it_asks_for_the_new_shape(bench: Bench) -> None:
    await bench.queued("a.jpg")
    await bench.worker.start()
    await bench.hands_over(1)
    bench.detector.long_side = 160
    bench.detector.raises.append(WrongFrameShape((96, 160), (192, 320)))
    await bench.queued("b.jpg")
    await bench.hands_over(2)
    assert bench.detector.stacks[-1] == (1, 96, 160, 3)
    assert (await bench.row("b.jpg"))["attempts"] == 1
    (status,) = await bench.breakers.status()
    assert status.failure_count == 0


async def test_the_threshold_is_read_live(bench: Bench) -> None:
    await bench.queued("a.jpg")
    await bench.worker.start()
    await bench.hands_over(1)
    await bench.change_config(detection_confidence_threshold=0.95)
    await bench.queued("b.jpg")
    await bench.hands_over(2)
    assert bench.detector.confidences == [0.5, 0.95]
    assert [len(result.detections) for result in bench.aggregator.added] == [1, 0]


@pytest.mark.parametrize(
    ("classes", "kept"),
    [
        (["person"], ["person"]),
        (["vehicle"], ["car"]),
        (["Person", "toothbrush"], ["person", "toothbrush"]),
        ([], ["person", "car", "toothbrush"]),
    ],
)
async def test_the_classes_that_are_kept_are_read_live(bench: Bench, classes: list[str], kept: list[str]) -> None:
    bench.detector.found = [(name, 0.9, 0.0, 0.0, 1.0, 1.0) for name in ("person", "car", "toothbrush")]
    await bench.change_config(detection_classes=classes)
    await bench.queued("a.jpg")
    await bench.worker.start()
    await bench.hands_over(1)
    assert [found.object_type for found in bench.aggregator.added[0].detections] == kept


async def test_at_start_it_takes_up_what_its_earlier_life_held(bench: Bench) -> None:
    await bench.queued("a.jpg", "b.jpg")
    await bench.queue.claim("detection_worker-1", 1, LEASE, TRIES)
    await bench.queue.claim("detection_worker_2-1", 1, LEASE, TRIES)
    await bench.worker.start()
    await bench.hands_over(1)
    assert (await bench.row("a.jpg"))["attempts"] == 2
    assert (await bench.row("b.jpg"))["lease"].startswith("detection_worker_2-1/")


async def test_a_backlog_is_worked_off_to_the_end_without_a_doorbell(bench: Bench) -> None:
    await bench.queued(*(f"{n}.jpg" for n in range(40)))
    await bench.worker.start()
    await bench.hands_over(40)
    assert len(set(bench.names())) == 40
    assert (await bench.worker.health()).detail == {"files_done": 40}


async def test_stop_waits_until_what_is_in_hand_is_handed_over(bench: Bench) -> None:
    go_on = asyncio.Event()
    look: Callable[..., Any] = bench.detector.detect_stack
    looking = asyncio.Event()

    async def slow(*arguments: Any) -> Any:
        looking.set()
        await go_on.wait()
        return await look(*arguments)

    bench.detector.detect_stack = slow  # type: ignore[method-assign]
    await bench.queued("a.jpg")
    await bench.worker.start()
    await looking.wait()
    stopping = asyncio.create_task(bench.worker.stop())
    await asyncio.sleep(0)
    go_on.set()
    await stopping
    assert len(bench.aggregator.added) == 1
