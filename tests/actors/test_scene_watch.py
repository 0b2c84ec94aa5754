"""Cameras that are moved and covered, drawn and watched over real rows."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import cv2
import numpy as np
import pytest
import redis.asyncio

from actors.scene_watch import MOST_WAITING, SAVE_EVERY_SECONDS, SceneWatch, Seen
from demo.brush import Image
from demo.light import daylight, night
from demo.places import Place
from demo.scenes import Figure, Scene
from demo.stories import random_story
from schemas.frame import LiveChannel
from storage.live_bus import LiveBus
from storage.postgres import Pool
from storage.scene_changes import SceneChanges
from tests.actors.bench import Bench
from tests.actors.fakes import FakeClock
from tests.storage.rows import Rows

START = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
YARD, ELSEWHERE = Scene(Place.BACKYARD, 640, 360, 3), Scene(Place.BACKYARD, 640, 360, 103)
BLACK = np.zeros((360, 640, 3), np.uint8)


class Yard:
    """One camera whose pictures come ten seconds apart, watched by any number of workers."""

    def __init__(self, database: Pool, client: redis.asyncio.Redis, media_id: int) -> None:
        self.database = database
        self.live = LiveBus(client)
        self.clock = FakeClock(START)
        self.media_id = media_id
        self.rng = np.random.default_rng(9)
        self.at = START
        self.watches: list[SceneWatch] = []

    def worker(self) -> SceneWatch:
        self.watches.append(SceneWatch(SceneChanges(self.database), self.live, self.clock))
        return self.watches[-1]

    def seen(self, picture: Image) -> Seen:
        self.at += timedelta(seconds=10)
        return Seen("yard", self.media_id, self.at, np.asarray(picture, np.uint8))

    def pictures(
        self, count: int, scene: Scene = YARD, dark: bool = False, figures: Sequence[Figure] = ()
    ) -> list[Image]:
        light = night if dark else daylight
        return [scene.draw(self.rng, figures, light(self.rng))[0] for _ in range(count)]

    async def show(self, watch: SceneWatch, pictures: Sequence[Image]) -> None:
        watch.look([self.seen(picture) for picture in pictures])
        await watch.finished()
        self.clock.advance(10 * len(pictures))

    async def changes(self) -> list[dict[str, Any]]:
        """What was stored; the frames must tell the same."""
        rows = await self.database.fetch("SELECT * FROM scene_changes ORDER BY detected_at")
        frames, _ = await self.live.replay(LiveChannel.EVENTS, 0)
        assert [frame.type for frame in frames] == ["scene_change.detected"] * len(rows)
        assert [frame.data["id"] for frame in frames] == [str(row["id"]) for row in rows]
        assert [frame.data["change_type"] for frame in frames] == [row["change_type"] for row in rows]
        return [dict(row) for row in rows]

    async def told(self) -> list[str]:
        return [row["change_type"] for row in await self.changes()]


@pytest.fixture
async def yard(database: Pool, redis_client: redis.asyncio.Redis) -> AsyncIterator[Yard]:
    rows = Rows(database)
    await rows.camera("yard")
    made = Yard(database, redis_client, await rows.media("yard"))
    yield made
    assert [watch.failures for watch in made.watches] == [0] * len(made.watches)


async def test_a_camera_that_was_moved_is_told_once(yard: Yard) -> None:
    watch = yard.worker()
    await yard.show(watch, yard.pictures(20))
    await yard.show(watch, yard.pictures(20, ELSEWHERE))
    (change,) = await yard.changes()
    assert (change["camera_id"], change["change_type"], change["media_id"]) == ("yard", "view_changed", yard.media_id)
    assert change["detected_at"] == START + timedelta(seconds=10 * 25)
    assert 0 <= change["similarity_score"] < 0.45


async def test_day_and_night_and_visitors_tell_nothing(yard: Yard) -> None:
    watch = yard.worker()
    for dark in (False, True, False, True):
        await yard.show(watch, yard.pictures(8, dark=dark))
        story = random_story(yard.rng, Place.BACKYARD, YARD.view.nearest)
        for moment in story.moments(8):
            await yard.show(watch, yard.pictures(1, dark=dark, figures=story.figures_at(moment)))
    assert await yard.told() == []


@pytest.mark.parametrize("how", ["black", "blurred"])
async def test_a_camera_that_was_covered_and_uncovered_is_told_of_both(yard: Yard, how: str) -> None:
    watch = yard.worker()
    await yard.show(watch, yard.pictures(20))
    covered = [BLACK] * 8 if how == "black" else [cv2.GaussianBlur(one, (0, 0), 20) for one in yard.pictures(8)]
    await yard.show(watch, [np.asarray(one, np.uint8) for one in covered])
    assert await yard.told() == ["covered"]
    await yard.show(watch, yard.pictures(8))
    assert await yard.told() == ["covered", "view_restored"]


async def test_a_worker_that_is_started_again_fires_nothing_and_notices_what_happened_meanwhile(yard: Yard) -> None:
    await yard.show(yard.worker(), yard.pictures(20))
    for _ in range(3):
        yard.clock.advance(SAVE_EVERY_SECONDS)
        await yard.show(yard.worker(), yard.pictures(2))
    assert await yard.told() == []
    await yard.database.execute("UPDATE scene_references SET frames = 20")
    await yard.show(yard.worker(), yard.pictures(6, ELSEWHERE))
    assert await yard.told() == ["view_changed"]


async def test_two_workers_that_see_the_same_tell_it_once(yard: Yard) -> None:
    one, other = yard.worker(), yard.worker()
    for watch in (one, other):
        await yard.show(watch, yard.pictures(20))
    yard.clock.advance(SAVE_EVERY_SECONDS)
    for watch in (one, other):
        await yard.show(watch, yard.pictures(3))
    before = yard.at
    for watch in (one, other, one, other):
        yard.at = before
        await yard.show(watch, yard.pictures(8, ELSEWHERE))
    assert await yard.told() == ["view_changed"]


async def test_what_was_learnt_is_stored_once_a_minute_at_most(yard: Yard) -> None:
    watch = yard.worker()
    await yard.show(watch, yard.pictures(1))
    assert await _version(yard) == 1
    yard.clock.advance(-10)
    for _ in range(5):
        await yard.show(watch, yard.pictures(1))
    assert await _version(yard) == 1
    yard.clock.advance(SAVE_EVERY_SECONDS)
    await yard.show(watch, yard.pictures(1))
    assert await _version(yard) == 2


async def _version(yard: Yard) -> int:
    return int(await yard.database.fetchval("SELECT version FROM scene_references"))


async def test_pictures_that_come_faster_than_they_are_compared_are_dropped_and_counted(yard: Yard) -> None:
    watch = yard.worker()
    picture = yard.pictures(1)[0]
    watch.look([yard.seen(picture) for _ in range(MOST_WAITING + 7)])
    assert watch.dropped == 7
    await watch.finished()


async def test_pictures_that_follow_each_other_at_once_are_compared_once_a_second(yard: Yard) -> None:
    watch = yard.worker()
    picture = yard.pictures(1)[0]
    burst = [yard.seen(picture) for _ in range(MOST_WAITING * 3)]
    watch.look([replace(seen, at=START + timedelta(milliseconds=10 * n)) for n, seen in enumerate(burst)])
    assert watch.dropped == 0
    await watch.finished()
    assert await yard.database.fetchval("SELECT frames FROM scene_references") == 4


async def test_a_detection_worker_has_its_cameras_watched(bench: Bench, redis_client: redis.asyncio.Redis) -> None:
    watch = SceneWatch(SceneChanges(bench.database), LiveBus(redis_client), bench.clock)
    bench.tools = replace(bench.tools, scenes=watch)
    await bench.queued("a.jpg")
    await bench.worker.start()
    await bench.hands_over(1)
    await watch.finished()
    assert await bench.database.fetchval("SELECT frames FROM scene_references") == 1
    assert (await bench.worker.health()).detail == {"files_done": 1, "scene_failures": 0, "scene_dropped": 0}


async def test_a_watch_that_fails_does_not_fail_detection(bench: Bench, redis_client: redis.asyncio.Redis) -> None:
    await bench.database.execute("DROP TABLE scene_references")
    watch = SceneWatch(SceneChanges(bench.database), LiveBus(redis_client), bench.clock)
    bench.tools = replace(bench.tools, scenes=watch)
    await bench.queued("a.jpg", "b.jpg")
    await bench.worker.start()
    await bench.hands_over(2)
    await watch.finished()
    assert (await bench.worker.health()).detail["scene_failures"] >= 1


async def test_a_database_that_is_away_is_counted_and_the_next_pictures_are_compared(
    database: Pool, redis_client: redis.asyncio.Redis
) -> None:
    rows = Rows(database)
    await rows.camera("yard")
    yard = Yard(database, redis_client, await rows.media("yard"))
    watch = yard.worker()
    await database.execute("ALTER TABLE scene_references RENAME TO away")
    await yard.show(watch, yard.pictures(3))
    assert watch.failures == 1
    await database.execute("ALTER TABLE away RENAME TO scene_references")
    await yard.show(watch, yard.pictures(20))
    await yard.show(watch, yard.pictures(6, ELSEWHERE))
    assert await yard.told() == ["view_changed"]


async def test_a_deleted_file_or_camera_stops_nothing(yard: Yard) -> None:
    watch = yard.worker()
    await yard.show(watch, yard.pictures(20))
    await yard.database.execute("DELETE FROM media")
    await yard.show(watch, yard.pictures(6, ELSEWHERE))
    (change,) = await yard.changes()
    assert change["media_id"] is None
    await yard.database.execute("DELETE FROM cameras")
    yard.clock.advance(SAVE_EVERY_SECONDS)
    await yard.show(watch, yard.pictures(12, YARD))
    assert await yard.database.fetchval("SELECT count(*) FROM scene_references") == 0
