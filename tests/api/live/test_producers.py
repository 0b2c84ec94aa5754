"""Every type of frame is sent by the part of the program that it tells of, and is as its schema says."""

import shutil
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import httpx
import numpy as np
import pytest
import redis.asyncio
from jsonschema import Draft202012Validator

from actors.gpu_monitor import GpuMonitor, MonitorTools
from actors.performance_monitor import PerformanceMonitor
from actors.scene_watch import SceneWatch, Seen
from actors.tools.performing import performance_tools
from demo.light import daylight
from demo.places import Place
from demo.scenes import Scene
from schemas.alert_rule import AlertRuleCreate, Channel
from schemas.frame import LiveChannel
from schemas.frame_types import CHANNEL_OF, PAYLOADS
from schemas.service import Health, Service, ServiceCategory, ServiceStatus
from settings import Settings
from storage.alert_rules import AlertRules
from storage.errors import StoreError
from storage.gpu_stats import GpuStats
from storage.live_bus import LiveBus
from storage.performance import PerformanceRows
from storage.postgres import Pool
from storage.scene_changes import SceneChanges
from storage.services import Services
from tests.actors.cleaning import NOW, OLD, SOMEBODY
from tests.actors.cleaning import House as Cleaning
from tests.actors.fakes import FakeClock
from tests.actors.supervising import House as Supervising
from tests.actors.supervising import Subject
from tests.actors.test_alert_dispatcher import Post
from tests.actors.test_analysis_worker import Desk
from tests.actors.test_batch_aggregator import Yard
from tests.actors.test_camera_folders import Root
from tests.actors.test_gpu_monitor import FakeNvml
from tests.eventually import eventually
from tests.storage.pieces import found_in, seen
from tests.storage.rows import NOON, Rows

SCHEMAS = {one.frame_type: Draft202012Validator(one.model_json_schema(mode="serialization")) for one in PAYLOADS}
SHOWN: set[str] = set()
T = TypeVar("T", bound=Callable[..., Awaitable[None]])


def shows(*types: str) -> Callable[[T], T]:
    """Says which types a test sees sent."""

    def note(test: T) -> T:
        SHOWN.update(types)
        return test

    return note


class Ear:
    """Hears what was published, each frame held against its schema."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self.bus = LiveBus(client)

    async def types(self) -> set[str]:
        heard: set[str] = set()
        for channel in LiveChannel:
            for frame in (await self.bus.replay(channel, 0))[0]:
                SCHEMAS[frame.type].validate(frame.data)
                heard.add(frame.type)
        return heard

    async def hears(self, *types: str) -> None:
        await eventually(partial(self._has, set(types)))

    async def _has(self, types: set[str]) -> bool:
        return types <= await self.types()


@pytest.fixture
def ear(redis_client: redis.asyncio.Redis) -> Ear:
    return Ear(redis_client)


def test_every_registered_type_is_seen_sent_by_a_test() -> None:
    assert set(CHANNEL_OF) == SHOWN


@shows("detection.new", "detection.batch")
async def test_the_aggregator_tells_of_detections_and_of_batches(
    ear: Ear, database: Pool, redis_client: redis.asyncio.Redis
) -> None:
    await Rows(database).camera()
    yard = Yard(database, database, redis_client)
    await yard.aggregator.start()
    (file,) = await yard.files(1)
    await yard.aggregator.add([found_in(file, seen("person"))])
    await yard.passes(31)
    await ear.hears("detection.new", "detection.batch")
    await yard.aggregator.stop()
    await yard.doorbells.aclose()


@shows("event.created", "event", "alert.created")
async def test_the_analysis_worker_tells_of_events_and_their_alerts(
    ear: Ear, database: Pool, redis_client: redis.asyncio.Redis
) -> None:
    await Rows(database).camera(created_at=NOON - timedelta(days=60))
    desk = Desk(database, database, redis_client)
    await AlertRules(database).create(AlertRuleCreate(name="Any", channels=(Channel.EMAIL,)))
    await desk.closed("person")
    await desk.worker.start()
    await ear.hears("event.created", "event", "alert.created")
    await desk.worker.stop()


@shows("alert.updated")
async def test_the_dispatcher_tells_that_an_alert_was_delivered(
    ear: Ear, database: Pool, redis_client: redis.asyncio.Redis
) -> None:
    await Rows(database).camera()
    post = Post(database, database, redis_client)
    await post.queued("me")
    await post.dispatcher.start()
    await ear.hears("alert.updated")
    await post.dispatcher.stop()


@shows("alert.updated", "alert.acknowledged", "alert.dismissed", "alert.resolved")
async def test_the_api_tells_of_an_alerts_steps(ear: Ear, api: httpx.AsyncClient, rows: Rows) -> None:
    await rows.camera()
    alert = await rows.alert(await rows.event(), await rows.rule(), status="delivered")
    await api.post(f"/api/alerts/{alert}/acknowledge")
    assert await ear.types() == {"alert.updated", "alert.acknowledged"}
    await api.post(f"/api/alerts/{alert}/dismiss", json={"reason": "the postman"})
    assert await ear.types() == {"alert.updated", "alert.acknowledged", "alert.dismissed", "alert.resolved"}


@shows("event.updated")
async def test_the_api_tells_that_an_event_was_reviewed(ear: Ear, api: httpx.AsyncClient, rows: Rows) -> None:
    await rows.camera()
    await api.patch(f"/api/events/{await rows.event()}", json={"reviewed": True})
    assert await ear.types() == {"event.updated"}


@shows("camera.enabled", "camera.disabled")
async def test_the_api_tells_that_a_camera_was_switched(ear: Ear, api: httpx.AsyncClient, rows: Rows) -> None:
    await rows.camera("door")
    for enabled in (False, True):
        await api.patch("/api/cameras/door", json={"enabled": enabled})
    assert await ear.types() == {"camera.disabled", "camera.enabled"}


@shows("camera.status_changed")
async def test_the_watcher_tells_of_a_camera_whose_folder_is_gone(
    ear: Ear, tmp_path: Path, database: Pool, redis_client: redis.asyncio.Redis
) -> None:
    root = Root(tmp_path, database, redis_client)
    root.put("yard/a.jpg")
    await root.scan()
    shutil.rmtree(tmp_path / "yard")
    await root.scan()
    assert await ear.types() == {"camera.status_changed"}


@shows("scene_change.detected")
async def test_the_scene_watch_tells_of_a_camera_that_was_moved(
    ear: Ear, database: Pool, redis_client: redis.asyncio.Redis
) -> None:
    await Rows(database).camera("yard")
    media = await Rows(database).media("yard")
    watch = SceneWatch(SceneChanges(database), LiveBus(redis_client), FakeClock())
    rng = np.random.default_rng(4)
    for number in range(30):
        scene = Scene(Place.DRIVEWAY, 320, 180, seed=1 if number < 20 else 101)
        picture, _ = scene.draw(rng, [], daylight(rng))
        watch.look([Seen("yard", media, NOON + timedelta(seconds=10 * number), np.asarray(picture, np.uint8))])
    await watch.finished()
    assert await ear.types() == {"scene_change.detected"}


@shows("job.started", "job.progress", "job.completed", "event.deleted")
async def test_the_clean_up_tells_how_it_goes_and_which_events_are_gone(
    ear: Ear, tmp_path: Path, database: Pool, redis_client: redis.asyncio.Redis
) -> None:
    house = await _dirty_house(tmp_path, database, redis_client)
    await house.service().run(False, SOMEBODY)
    assert await ear.types() == {"job.started", "job.progress", "job.completed", "event.deleted"}


@shows("job.failed")
async def test_a_clean_up_that_fails_tells_so(
    ear: Ear, tmp_path: Path, database: Pool, redis_client: redis.asyncio.Redis
) -> None:
    house = await _dirty_house(tmp_path, database, redis_client)
    await database.execute("ALTER TABLE events RENAME TO away")
    with pytest.raises(StoreError):
        await house.service().run(False, SOMEBODY)
    assert "job.failed" in await ear.types()


async def _dirty_house(folder: Path, database: Pool, client: redis.asyncio.Redis) -> Cleaning:
    house = Cleaning(folder, database, client)
    await house.rows.camera()
    await database.execute("UPDATE schema_migrations SET applied_at = $1", NOW)
    await house.seen(OLD)
    return house


@shows("service.status_changed", "service_status")
async def test_the_supervisor_tells_of_a_service_that_fails(
    ear: Ear, database: Pool, redis_client: redis.asyncio.Redis
) -> None:
    subject = Subject()
    house = Supervising(database, redis_client, subject)
    await house.look()
    subject.state = Health(healthy=False, message="three failures in a row")
    await house.look(2)
    await ear.hears("service.status_changed", "service_status")


@shows("gpu.stats_updated")
async def test_the_gpu_monitor_tells_of_its_samples(
    ear: Ear, database: Pool, redis_client: redis.asyncio.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeNvml().install(monkeypatch)
    clock = FakeClock()

    async def connect() -> MonitorTools:
        return MonitorTools(GpuStats(database), PerformanceRows(database), LiveBus(redis_client), clock)

    monitor = GpuMonitor("head", 0.01, connect)
    await monitor.start()
    await ear.hears("gpu.stats_updated")
    await monitor.stop()


@shows("system.status", "system.health_changed")
async def test_the_performance_monitor_tells_how_the_system_is(ear: Ear, settings: Settings, database: Pool) -> None:
    tools = await performance_tools(settings)

    async def connect() -> Any:
        return tools

    monitor = PerformanceMonitor(connect, 0.01)
    await monitor.start()
    await ear.hears("system.status")
    names = ("yolo26", "file_watcher", "detection_worker", "batch_aggregator", "analysis_worker", "alert_dispatcher")
    well = Service(
        name="",
        category=ServiceCategory.AI,
        status=ServiceStatus.RUNNING,
        checked_at=tools.clock.now() + timedelta(minutes=1),
    )
    await Services(database).upsert_many([well.model_copy(update={"name": name}) for name in names])
    await ear.hears("system.health_changed")
    await monitor.stop()
    await tools.live._redis.aclose(close_connection_pool=True)
    tools.figures._pool.terminate()
