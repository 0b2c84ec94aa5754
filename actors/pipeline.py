"""The pipeline's actors, wired: which there are, what each is made of, how each is started on Ray."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from actors.actor_start import ActorSpec, start_actor
from actors.alert_dispatcher import AlertDispatcher
from actors.analysis_worker import AnalysisWorker
from actors.batch_aggregator import BatchAggregator
from actors.circuit_breakers import CircuitBreakers
from actors.detection_worker import BREAKER, DetectionWorker
from actors.file_watcher import FileWatcher
from actors.gpu_monitor import GpuMonitor
from actors.ports import ActorAway, BreakersPort, CleanupPort, ModelZooPort, SupervisorPort, SystemActors
from actors.ref import Ref
from actors.supervised import supervised_actor, supervised_rest
from actors.supervisor import Supervisor, SupervisorTools
from actors.tools import open_pool, open_redis
from actors.tools.analysing import analysis_tools
from actors.tools.batching import aggregator_tools
from actors.tools.detecting import detection_tools
from actors.tools.dispatching import dispatcher_tools
from actors.tools.monitoring import monitor_tools
from actors.tools.watching import camera_root, watcher_tools
from domain.clock import SystemClock
from schemas.service import ServiceCategory
from settings import Settings
from storage.services import Services

logger = logging.getLogger(__name__)


def actor_specs(settings: Settings, app_name: str) -> list[ActorSpec]:
    """Every actor but the supervisor, in the order of the pipeline."""
    workers = ["detection_worker"] + [f"detection_worker_{n}" for n in range(2, settings.detection_workers + 1)]
    return [
        ActorSpec("circuit_breakers", CircuitBreakers, lambda: (SystemClock(), (BREAKER,)), shown=False),
        ActorSpec("batch_aggregator", BatchAggregator, lambda: (partial(aggregator_tools, settings),)),
        *(
            ActorSpec(name, DetectionWorker, partial(_worker, detection_tools, settings, app_name, name))
            for name in workers
        ),
        ActorSpec(
            "analysis_worker",
            AnalysisWorker,
            lambda: ("analysis_worker", partial(analysis_tools, settings, "analysis_worker")),
        ),
        ActorSpec(
            "alert_dispatcher",
            AlertDispatcher,
            lambda: ("alert_dispatcher", partial(dispatcher_tools, settings, "alert_dispatcher")),
        ),
        ActorSpec(
            "file_watcher",
            FileWatcher,
            lambda: (camera_root(settings), settings.media_polling, partial(watcher_tools, settings)),
        ),
        ActorSpec(
            "gpu_monitor",
            GpuMonitor,
            lambda: ("head", settings.gpu_poll_interval_seconds, partial(monitor_tools, settings)),
            ServiceCategory.MONITORING,
        ),
    ]


def _worker(tools: Callable[..., Any], settings: Settings, app_name: str, name: str) -> tuple[Any, ...]:
    return name, partial(tools, settings, app_name, name)


def start_supervisor(settings: Settings, app_name: str) -> None:
    """Starts the supervisor, which starts all the others."""
    start_actor(ActorSpec("supervisor", Supervisor, lambda: (app_name, partial(supervisor_tools, settings, app_name))))


async def supervisor_tools(settings: Settings, app_name: str) -> SupervisorTools:
    """Starts every actor that is not there yet, and says what is to be watched."""
    pool, redis = await open_pool(settings, "supervisor"), open_redis(settings)
    specs = actor_specs(settings, app_name)
    for spec in specs:
        start_actor(spec)
    services = [*(supervised_actor(spec) for spec in specs), *supervised_rest(settings, app_name, pool, redis)]
    return SupervisorTools(services, Services(pool), SystemClock())


def system_actors() -> SystemActors:
    """The actors that the API asks, by their names."""
    supervisor, breakers, cleanup, zoo = map(Ref, ("supervisor", "circuit_breakers", "cleanup_service", "model_zoo"))
    return SystemActors(
        cast(SupervisorPort, supervisor),
        cast(BreakersPort, breakers),
        cast(CleanupPort, cleanup),
        cast(ModelZooPort, zoo),
    )


async def stop_actors(settings: Settings, app_name: str) -> None:
    """Ends every loop after what is in hand; the supervisor's first, which would start them again."""
    await _stop("supervisor")
    await _stop("file_watcher")
    await asyncio.gather(*(_stop(spec.name) for spec in actor_specs(settings, app_name)))


async def _stop(name: str) -> None:
    try:
        await asyncio.wait_for(Ref(name).stop(), 10)
    except (ActorAway, TimeoutError) as error:
        logger.warning("%s did not stop by itself: %s", name, error)
