"""/ws/system on a real server: a status at once and every few seconds, whoever is away, and the channel's frames."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from websockets.exceptions import ConnectionClosed, InvalidStatus

from deployments.api.deps import Services
from deployments.api.live.policy import LivePolicy
from schemas.frame import NewFrame
from schemas.frame_types import (
    AlertAcknowledged,
    CameraFigures,
    GpuFigures,
    GpuStatsUpdated,
    QueueFigures,
    SystemHealth,
    SystemStatus,
    frame,
)
from settings import Settings, load_settings
from tests.api.live.talking import client, heard, heard_of, say
from tests.storage.rows import Rows

GPU = GpuFigures(utilization=45.0, memory_used=8192, memory_total=24576, temperature=65.0, inference_fps=None)
STATUS = SystemStatus(
    gpu=GPU,
    cameras=CameraFigures(active=1, total=2),
    queue=QueueFigures(pending=7, processing=3),
    health=SystemHealth.HEALTHY,
)
GPU_STATS = frame(GpuStatsUpdated(**GPU.model_dump()))
SCHEMA = Draft202012Validator(SystemStatus.model_json_schema(mode="serialization"))


def now() -> datetime:
    return datetime.now(UTC)


def acknowledged() -> NewFrame:
    return frame(AlertAcknowledged.model_validate(AlertAcknowledged.example))


async def test_a_published_status_is_sent_at_once_as_a_replay(served: str, services: Services) -> None:
    await services.bus.publish([frame(STATUS), GPU_STATS], now())
    async with client(served, "/ws/system") as socket:
        first = await heard(socket)
    assert (first["type"], first["channel"], first["sequence"], first["replay"]) == ("system.status", "system", 1, True)
    assert first["data"] == frame(STATUS).data


async def test_without_a_published_one_it_is_made_from_rows(served: str, services: Services, rows: Rows) -> None:
    await rows.camera("front_door", status="online")
    await rows.camera("yard", status="offline")
    await rows.media("front_door", state="queued")
    await rows.media("front_door", state="detecting")
    await rows.pool.execute(
        "INSERT INTO gpu_stats (recorded_at, node, gpu_index, gpu_name, utilization, memory_used) "
        "VALUES (now(), 'head', 0, 'a GPU', 12.5, 100)"
    )
    async with client(served, "/ws/system") as socket:
        first = await heard(socket)
    SCHEMA.validate(first["data"])
    assert (first["type"], first["channel"], first["sequence"]) == ("system.status", "system", None)
    assert first["data"] == {
        "gpu": {
            "utilization": 12.5,
            "memory_used": 100,
            "memory_total": None,
            "temperature": None,
            "inference_fps": None,
        },
        "cameras": {"active": 1, "total": 2},
        "queue": {"pending": 1, "processing": 1},
        "health": "degraded",  # no supervisor has reported a worker
    }


async def test_an_old_status_is_not_shown_as_if_it_were_of_now(served: str, services: Services) -> None:
    await services.bus.publish([frame(STATUS)], now() - timedelta(seconds=11))
    async with client(served, "/ws/system") as socket:
        assert (await heard(socket))["sequence"] is None


async def test_it_carries_the_channel_system_and_no_other(served: str, services: Services) -> None:
    async with client(served, "/ws/system") as socket:
        await heard_of(socket, "system.status")
        await services.bus.publish([acknowledged(), GPU_STATS], now())
        told = await heard(socket)
    assert (told["type"], told["channel"], told["sequence"]) == ("gpu.stats_updated", "system", 1)


async def test_the_socket_of_everything_carries_the_channel_system_too(served: str, services: Services) -> None:
    async with client(served, "/ws/events") as socket:
        await say(socket, type="ping")
        await heard_of(socket, "pong")
        await services.bus.publish([frame(STATUS), acknowledged()], now())
        assert {(await heard(socket))["type"], (await heard(socket))["type"]} == {"system.status", "alert.acknowledged"}


async def test_it_takes_subscriptions(served: str, services: Services) -> None:
    async with client(served, "/ws/system") as socket:
        await heard_of(socket, "system.status")
        await say(socket, type="subscribe", data={"patterns": ["gpu.*"]})
        assert (await heard(socket))["data"] == {"patterns": ["gpu.*"]}
        await services.bus.publish([frame(STATUS), GPU_STATS], now())
        assert (await heard(socket))["type"] == "gpu.stats_updated"


async def test_it_replays_its_own_channel(served: str, services: Services) -> None:
    await services.bus.publish([GPU_STATS, GPU_STATS, GPU_STATS], now())
    async with client(served, "/ws/system") as socket:
        await say(socket, type="resync", data={"channel": "system", "last_sequence": 1})
        replayed = [await heard_of(socket, "gpu.stats_updated") for _ in range(2)]
        told = await heard_of(socket, "resynced")
    assert [(one["sequence"], one["replay"]) for one in replayed] == [(2, True), (3, True)]
    assert told["data"] == {"channel": "system", "last_sequence": 3, "replayed": 2, "truncated": False}


async def test_a_resync_of_a_channel_that_it_does_not_carry_is_an_error(served: str) -> None:
    async with client(served, "/ws/system") as socket:
        await say(socket, type="resync", data={"channel": "alerts", "last_sequence": 1})
        error = await heard_of(socket, "error")
        assert error["data"]["code"] == "invalid_message"
        assert "/ws/events" in error["data"]["message"]
        await socket.send("ping")
        assert (await heard_of(socket, "pong"))["channel"] is None


async def test_what_makes_no_sense_gets_an_error_and_the_connection_stays(served: str) -> None:
    async with client(served, "/ws/system") as socket:
        await socket.send("{not json")
        assert (await heard_of(socket, "error"))["data"]["code"] == "invalid_json"
        await socket.send("ping")
        await heard_of(socket, "pong")


async def test_a_page_of_another_site_is_not_let_in(served: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with client(served, "/ws/system", origin="https://evil.example"):
            pass
    assert refused.value.response.status_code == 403


async def test_a_replica_that_ends_says_that_it_restarts(served: str, services: Services) -> None:
    async with client(served, "/ws/system") as socket:
        await heard_of(socket, "system.status")
        await services.fanout.close()
        with pytest.raises(ConnectionClosed):
            await heard_of(socket, "nothing")
        assert socket.close_code == 1012
    async with client(served, "/ws/system") as late:
        with pytest.raises(ConnectionClosed):
            await heard_of(late, "nothing")


class TestHurried:
    @pytest.fixture
    def live_policy(self) -> LivePolicy:
        return LivePolicy(status_seconds=0.2, late_seconds=0.1)

    async def test_with_the_publisher_away_the_statuses_go_on(self, served: str) -> None:
        async with client(served, "/ws/system") as socket:
            statuses = [await heard_of(socket, "system.status") for _ in range(4)]
        for status in statuses:
            SCHEMA.validate(status["data"])
            assert status["sequence"] is None

    async def test_one_status_serves_every_client(self, served: str, services: Services) -> None:
        async with client(served, "/ws/system") as one, client(served, "/ws/system") as other:
            await heard(one)  # the greetings
            await heard(other)
            mine = [await heard(one) for _ in range(3)]
            assert [await heard(other) for _ in range(3)] == mine


class TestPunctual:
    """A publisher that keeps its time is not interrupted."""

    @pytest.fixture
    def live_policy(self) -> LivePolicy:
        return LivePolicy(status_seconds=20.0, late_seconds=5.0)

    async def test_a_published_status_is_not_doubled(self, served: str, services: Services) -> None:
        await services.bus.publish([frame(STATUS)], now())
        async with client(served, "/ws/system") as socket:
            await heard(socket)
            for _ in range(3):
                await services.bus.publish([frame(STATUS)], now())
            assert [(await heard(socket))["sequence"] for _ in range(3)] == [2, 3, 4]


class TestWithoutStores:
    @pytest.fixture
    def settings(self, tmp_path: Path) -> Settings:
        nobody = {"DATABASE_URL": "postgresql://127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0"}
        return load_settings({"DATA_DIR": str(tmp_path)} | nobody)

    @pytest.fixture
    def live_policy(self) -> LivePolicy:
        return LivePolicy(status_seconds=0.2, late_seconds=0.1)

    async def test_the_statuses_go_on_and_say_the_truth(self, served: str) -> None:
        async with client(served, "/ws/system") as socket:
            statuses = [await heard_of(socket, "system.status") for _ in range(3)]
        for status in statuses:
            SCHEMA.validate(status["data"])
            assert status["data"]["health"] == "unhealthy"
            assert status["data"]["cameras"] == {"active": None, "total": None}
            assert status["data"]["queue"] == {"pending": None, "processing": None}


class TestWithoutRedis:
    @pytest.fixture
    def settings(self, tmp_path: Path, database_url: str) -> Settings:
        return load_settings(
            {"DATA_DIR": str(tmp_path), "DATABASE_URL": database_url, "REDIS_URL": "redis://127.0.0.1:1/0"}
        )

    async def test_the_figures_are_there_and_the_health_is_degraded(self, served: str, rows: Rows) -> None:
        await rows.camera("front_door", status="online")
        async with client(served, "/ws/system") as socket:
            status = await heard_of(socket, "system.status")
        assert status["data"]["health"] == "degraded"
        assert status["data"]["cameras"] == {"active": 1, "total": 1}
