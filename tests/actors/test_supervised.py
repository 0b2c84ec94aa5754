"""The probes: what each answers for a service that works, one that does not, and one that is not there."""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio
from pydantic import SecretStr

from actors import supervised
from actors.actor_start import ActorSpec
from actors.circuit_breakers import CircuitBreakers
from actors.ref import ActorAway, ActorStarting
from actors.supervised import supervised_actor, supervised_rest
from actors.supervised_service import Gone, Starting, SupervisedService
from schemas.service import Health, ServiceStatus
from settings import Settings
from storage.errors import StoreUnavailable
from storage.postgres import Pool, connect_pool
from storage.redis import connect_redis
from storage.system_lock import acquire
from tests.notify.http_sink import HttpSink, answer
from tests.storage.wire import Wire

SPEC = ActorSpec("circuit_breakers", CircuitBreakers, lambda: (), shown=False)


class NamedActor:
    """In place of an actor found by its name: answers, or raises as `Ref` does."""

    def __init__(self, answers: Health | Exception) -> None:
        self.answers = answers

    def __call__(self, name: str, **_: Any) -> "NamedActor":
        assert name == "circuit_breakers"
        return self

    async def health(self) -> Health:
        if isinstance(self.answers, Exception):
            raise self.answers
        return self.answers


class DescribedDetector:
    """In place of the detector's deployment."""

    def __init__(self, _app_name: str, status: str = "healthy", message: str = "") -> None:
        self.described = {"status": status, "message": message, "pid": 4711, "model": "drawings.onnx"}

    async def describe(self) -> dict[str, Any]:
        return self.described

    async def switch(self, on: bool) -> None:
        self.described["switched_on"] = on


@pytest.fixture
def rest(
    database: Pool, redis_client: redis.asyncio.Redis, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, SupervisedService]]:
    """The services that are no actors, by name, for these settings."""
    monkeypatch.setattr(supervised, "DetectorDeployment", DescribedDetector)

    def make(
        pool: Pool = database, client: redis.asyncio.Redis = redis_client, **values: Any
    ) -> dict[str, SupervisedService]:
        return {one.name: one for one in supervised_rest(Settings(**values), "app", pool, client)}

    return make


async def test_an_actor_is_as_healthy_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    health = Health(healthy=False, message="three failures in a row", detail={"a": 1})
    monkeypatch.setattr(supervised, "Ref", NamedActor(health))
    service = supervised_actor(SPEC)
    assert (service.name, service.shown) == ("circuit_breakers", False)
    assert await service.probe() == health


async def test_an_actor_that_is_away_is_gone_and_one_that_is_being_started_is_starting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervised, "Ref", NamedActor(ActorAway("circuit_breakers", "no actor of this name")))
    with pytest.raises(Gone, match="circuit_breakers is away: no actor of this name"):
        await supervised_actor(SPEC).probe()
    monkeypatch.setattr(supervised, "Ref", NamedActor(ActorStarting("circuit_breakers", "it is being started")))
    with pytest.raises(Starting):
        await supervised_actor(SPEC).probe()


async def test_the_stores_are_healthy_when_they_answer(rest: Callable[..., dict[str, SupervisedService]]) -> None:
    services = rest()
    assert (await services["postgres"].probe()).healthy
    assert (await services["redis"].probe()).healthy
    assert services["postgres"].restart is None


async def test_a_store_that_is_away_fails_its_probe(
    rest: Callable[..., dict[str, SupervisedService]], database_url: str, redis_url: str
) -> None:
    async with Wire(database_url) as wire:
        pool = await connect_pool(wire.address, 1, 1, "tests")
        await wire.cut()
        with pytest.raises(StoreUnavailable):
            await rest(pool)["postgres"].probe()
        pool.terminate()
    async with Wire(redis_url) as wire:
        client = connect_redis(wire.address)
        await wire.cut()
        with pytest.raises(StoreUnavailable):
            await rest(client=client)["redis"].probe()
        await client.aclose()


async def test_the_api_is_asked_from_outside(rest: Callable[..., dict[str, SupervisedService]]) -> None:
    async with HttpSink(answer(200), answer(503, b"not ready")) as sink:
        services = rest(api_host="0.0.0.0", api_port=sink.port)
        assert await services["api"].probe() == Health(healthy=True)
        assert await services["api"].probe() == Health(healthy=False, message="not ready")
        assert sink.received[0].line.startswith("GET /health ")


async def test_an_api_that_nobody_answers_for_fails_its_probe(
    rest: Callable[..., dict[str, SupervisedService]],
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        services = rest(api_port=unused.getsockname()[1])
        with pytest.raises(Exception, match=r"[Cc]onnect"):
            await services["api"].probe()


async def test_the_detector_is_what_its_deployment_describes(
    rest: Callable[..., dict[str, SupervisedService]], monkeypatch: pytest.MonkeyPatch
) -> None:
    health = await rest()["yolo26"].probe()
    assert (health.healthy, health.message, health.detail["model"]) == (True, None, "drawings.onnx")
    assert health.detail["pid"] == 4711 != os.getpid()

    def broken(app_name: str) -> DescribedDetector:
        return DescribedDetector(app_name, "unhealthy", "there are no weights at this path")

    monkeypatch.setattr(supervised, "DetectorDeployment", broken)
    health = await rest()["yolo26"].probe()
    assert (health.healthy, health.message) == (False, "there are no weights at this path")


async def test_without_a_language_model_nemotron_is_not_configured(
    rest: Callable[..., dict[str, SupervisedService]],
) -> None:
    service = rest()["nemotron"]
    assert service.status_when_idle is ServiceStatus.NOT_CONFIGURED
    with pytest.raises(Gone):
        await service.probe()


async def test_a_language_model_is_what_its_deployment_describes_and_can_be_switched_off(
    rest: Callable[..., dict[str, SupervisedService]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervised, "LanguageModelDeployment", DescribedDetector)
    service = rest(nemotron_model="/models/nemotron")["nemotron"]
    assert service.status_when_idle is None
    assert (await service.probe()).healthy
    assert service.by_hand is not None
    assert service.by_hand.disable is not None
    await service.by_hand.disable()
    with pytest.raises(Gone, match="switched off"):
        await service.probe()


async def test_a_language_model_that_is_away_fails_its_probe_with_the_reason(
    rest: Callable[..., dict[str, SupervisedService]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(app_name: str) -> DescribedDetector:
        return DescribedDetector(app_name, "unhealthy", "http://gpu-box:8000 cannot be reached")

    monkeypatch.setattr(supervised, "LanguageModelDeployment", away)
    health = await rest(nemotron_url="http://gpu-box:8000/v1")["nemotron"].probe()
    assert (health.healthy, health.message) == (False, "http://gpu-box:8000 cannot be reached")


def test_every_service_of_the_contract_is_watched(
    rest: Callable[..., dict[str, SupervisedService]], tmp_path: Path
) -> None:
    from actors.pipeline import actor_specs

    settings = Settings(data_dir=tmp_path, database_url=SecretStr("postgresql://x"), redis_url=SecretStr("redis://x"))
    names = {spec.name for spec in actor_specs(settings, "app") if spec.shown} | rest().keys()
    infrastructure = {"postgres", "redis", "api", "file_watcher", "detection_worker", "batch_aggregator"}
    assert infrastructure | {"analysis_worker", "alert_dispatcher", "yolo26", "nemotron", "gpu_monitor"} <= names


async def test_a_detector_that_is_switched_off_is_gone(rest: Callable[..., dict[str, SupervisedService]]) -> None:
    service = rest()["yolo26"]
    assert service.by_hand is not None
    assert service.by_hand.disable is not None
    assert service.by_hand.enable is not None
    await service.by_hand.disable()
    with pytest.raises(Gone, match="switched off"):
        await service.probe()
    await service.by_hand.enable()
    assert (await service.probe()).healthy


def test_stores_that_run_elsewhere_are_not_restarted_here_and_none_can_be_disabled(
    rest: Callable[..., dict[str, SupervisedService]], tmp_path: Path
) -> None:
    with acquire(tmp_path) as lock:
        lock.update(database_url="postgresql://ours")
        services = rest(data_dir=tmp_path)
    hands = {name: services[name].by_hand for name in ("postgres", "redis", "api")}
    limits = {name: hand.limits for name, hand in hands.items() if hand is not None}
    assert limits["postgres"].not_started_because is None
    assert limits["redis"].not_started_because == "redis runs elsewhere (REDIS_URL is set): restart it there"
    assert limits["api"].not_started_because is None
    assert all("cannot be disabled" in str(one.not_disabled_because) for one in limits.values())
    assert len(limits) == 3


def test_every_detection_worker_is_a_part_of_one_service(tmp_path: Path) -> None:
    from actors.pipeline import actor_specs

    settings = Settings(
        data_dir=tmp_path,
        detection_workers=3,
        database_url=SecretStr("postgresql://x"),
        redis_url=SecretStr("redis://x"),
    )
    specs = [spec for spec in actor_specs(settings, "app") if spec.service]
    assert [spec.name for spec in specs] == ["detection_worker", "detection_worker_2", "detection_worker_3"]
    assert {supervised_actor(spec).shown_as for spec in specs} == {"detection_worker"}
