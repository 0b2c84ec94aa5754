"""What the supervisor supervises: each service's probe, and how it is started again."""

import os
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import httpx
import ray
import redis.asyncio as redis_client

from actors.actor_start import ActorSpec, start_actor
from actors.ports import ActorAway, ActorStarting
from actors.ref import NAMESPACE, DetectorDeployment, Ref
from actors.supervisor import Gone, Starting, SupervisedService
from schemas.service import Health, ServiceCategory, ServiceStatus
from settings import Settings
from storage.postgres import Pool, store_errors
from storage.redis import redis_errors


def supervised_actor(spec: ActorSpec) -> SupervisedService:
    """A dead one is made anew; one that hangs or fails is killed, and Ray starts it again."""
    return SupervisedService(
        spec.name, spec.category, partial(_probe_actor, spec.name), partial(_restart_actor, spec), shown=spec.shown
    )


async def _probe_actor(name: str) -> Health:
    try:
        health: Health = await Ref(name).health()
    except ActorStarting as error:
        raise Starting(str(error)) from None
    except ActorAway as error:
        raise Gone(str(error)) from None
    return health


async def _restart_actor(spec: ActorSpec) -> None:
    try:
        ray.kill(ray.get_actor(spec.name, namespace=NAMESPACE), no_restart=False)
    except ValueError:
        start_actor(spec)


def supervised_rest(
    settings: Settings, app_name: str, pool: Pool, redis: redis_client.Redis
) -> list[SupervisedService]:
    """What is no actor: the stores, kept alive by whoever started them, and the deployments, restarted by Serve."""
    api_host = "127.0.0.1" if settings.api_host in ("0.0.0.0", "::") else settings.api_host
    return [
        _other("postgres", ServiceCategory.INFRASTRUCTURE, lambda: _postgres(pool)),
        _other("redis", ServiceCategory.INFRASTRUCTURE, lambda: _redis(redis)),
        _other("api", ServiceCategory.INFRASTRUCTURE, lambda: _api(f"http://{api_host}:{settings.api_port}/health")),
        _other("yolo26", ServiceCategory.AI, partial(_detector, DetectorDeployment(app_name))),
        SupervisedService(
            "nemotron", ServiceCategory.AI, _never_asked, None, status_when_idle=ServiceStatus.NOT_CONFIGURED
        ),
    ]


def _other(name: str, category: ServiceCategory, probe: Callable[[], Awaitable[Health]]) -> SupervisedService:
    return SupervisedService(name, category, probe, None)


async def _postgres(pool: Pool) -> Health:
    with store_errors():
        await pool.fetchval("SELECT 1")
    return Health(healthy=True)


async def _redis(client: redis_client.Redis) -> Health:
    with redis_errors():
        await client.ping()
    return Health(healthy=True)


async def _api(url: str) -> Health:
    """Asked from outside, as a user would: Serve may call an ingress healthy that no request reaches."""
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(url, timeout=1.5)
    return Health(healthy=answer.status_code == 200, message=None if answer.status_code == 200 else answer.text[:200])


async def _detector(detector: Any) -> Health:
    described = await detector.describe()
    healthy = described["status"] == "healthy"
    return Health(healthy=healthy, message=described["message"] or None, detail={"pid": os.getpid()} | described)


async def _never_asked() -> Health:
    raise Gone("no language model is configured")
