"""What the supervisor supervises: each service's probe, how it is started again, and what a person may ask of it."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import httpx
import ray
import redis.asyncio as redis_client

from actors.actor_start import ActorSpec, start_actor
from actors.ports import ActorAway, ActorStarting
from actors.ref import NAMESPACE, DetectorDeployment, LanguageModelDeployment, Ref
from actors.serve_replicas import restart_replicas
from actors.supervised_service import ByHand, Gone, Starting, SupervisedService
from domain.service_actions import Limits
from schemas.service import Health, ServiceCategory, ServiceStatus
from settings import Settings
from storage.own_stores import end_own_server, runs_own_store
from storage.postgres import Pool, store_errors
from storage.redis import redis_errors

logger = logging.getLogger(__name__)

FAREWELL_SECONDS = 2.5
"""What an actor that is ended by hand has for the work in its hands; what it does not finish stays a row."""
NAME_FREE_SECONDS = 5.0
ANSWER_SECONDS = 1.0
"""For the answer to a restart of the API to leave it."""


def supervised_actor(spec: ActorSpec) -> SupervisedService:
    """A dead one is made anew; one that hangs or fails is killed, and Ray starts it again."""
    return SupervisedService(
        spec.name,
        spec.category,
        partial(_probe_actor, spec.name),
        partial(_restart_actor, spec),
        shown=spec.shown,
        service=spec.service,
        by_hand=ByHand(
            restart=partial(_restart_by_hand, spec),
            disable=partial(_disable_actor, spec.name),
            enable=partial(asyncio.to_thread, start_actor, spec),
        ),
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


async def _restart_by_hand(spec: ActorSpec) -> None:
    await _say_farewell(spec.name)
    await _restart_actor(spec)


async def _disable_actor(name: str) -> None:
    """Returns when its name is free, so that it can be started again at once."""
    await _say_farewell(name)
    async with asyncio.timeout(NAME_FREE_SECONDS):
        while True:
            try:
                ray.kill(ray.get_actor(name, namespace=NAMESPACE), no_restart=True)
            except ValueError:
                return
            await asyncio.sleep(0.05)


async def _say_farewell(name: str) -> None:
    """One that hangs or is gone is not waited for."""
    try:
        await Ref(name, within_seconds=FAREWELL_SECONDS).stop()
    except ActorAway:
        return
    except Exception as error:
        logger.warning("%s did not stop by itself: %s", name, error)


def supervised_rest(
    settings: Settings, app_name: str, pool: Pool, redis: redis_client.Redis
) -> list[SupervisedService]:
    """What is no actor: the stores, kept alive by whoever started them, and the deployments, restarted by Serve."""
    detector = DetectorDeployment(app_name)
    return [
        _other("postgres", ServiceCategory.INFRASTRUCTURE, lambda: _postgres(pool), _store(settings, "postgres")),
        _other("redis", ServiceCategory.INFRASTRUCTURE, lambda: _redis(redis), _store(settings, "redis")),
        _other(
            "api",
            ServiceCategory.INFRASTRUCTURE,
            lambda: _api(f"{settings.api_url}/health"),
            ByHand(
                partial(restart_replicas, app_name, "api", ANSWER_SECONDS),
                limits=_indispensable("api"),
                answers_first=True,
            ),
        ),
        _other(
            "yolo26",
            ServiceCategory.AI,
            partial(_describes_itself, detector),
            ByHand(
                partial(restart_replicas, app_name, "yolo_detector"),
                disable=partial(detector.switch, False),
                enable=partial(detector.switch, True),
            ),
        ),
        _language_model(settings, app_name),
    ]


def _language_model(settings: Settings, app_name: str) -> SupervisedService:
    """Its replica starts a model that died or hangs again by itself: here it is asked how it is."""
    if not settings.has_language_model:
        not_configured = ServiceStatus.NOT_CONFIGURED
        return SupervisedService("nemotron", ServiceCategory.AI, _never_asked, None, status_when_idle=not_configured)
    model = LanguageModelDeployment(app_name)
    return _other(
        "nemotron",
        ServiceCategory.AI,
        partial(_describes_itself, model),
        ByHand(
            partial(restart_replicas, app_name, "nemotron_analyzer"),
            disable=partial(model.switch, False),
            enable=partial(model.switch, True),
        ),
    )


def _other(
    name: str, category: ServiceCategory, probe: Callable[[], Awaitable[Health]], by_hand: ByHand
) -> SupervisedService:
    return SupervisedService(name, category, probe, None, by_hand=by_hand)


def _indispensable(name: str, not_started_because: str | None = None) -> Limits:
    return Limits(not_started_because, f"{name} cannot be disabled: without it nobody could enable it again")


def _store(settings: Settings, name: str) -> ByHand:
    """Our own server is ended in good order; whoever launched the system starts it again at once where it was."""
    elsewhere = None
    if not runs_own_store(settings.data_dir, name):
        variable = "DATABASE_URL" if name == "postgres" else "REDIS_URL"
        elsewhere = f"{name} runs elsewhere ({variable} is set): restart it there"
    return ByHand(
        partial(asyncio.to_thread, end_own_server, settings.data_dir, name), limits=_indispensable(name, elsewhere)
    )


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


async def _describes_itself(replicas: Any) -> Health:
    described = await replicas.describe()
    if not described.get("switched_on", True):
        raise Gone("switched off by hand")
    healthy = described["status"] == "healthy"
    return Health(healthy=healthy, message=described["message"] or None, detail={"pid": os.getpid()} | described)


async def _never_asked() -> Health:
    raise Gone("no language model is configured")
