"""The pipeline's actors, wired: which there are, what each is made of, how each is started on Ray."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, cast

from actors.actor_start import ActorSpec, start_actor
from actors.alert_dispatcher import AlertDispatcher
from actors.analysis_worker import AnalysisWorker
from actors.batch_aggregator import BatchAggregator
from actors.circuit_breakers import CircuitBreakers
from actors.cleanup_service import CleanupService
from actors.detection_worker import BREAKER, DetectionWorker
from actors.file_watcher import FileWatcher
from actors.gpu_monitor import GpuMonitor
from actors.metrics import count_live_frames
from actors.model_zoo import ModelZoo
from actors.performance_monitor import PerformanceMonitor
from actors.ports import ActorAway, BreakersPort, CleanupPort, SupervisorPort, SystemActors
from actors.ref import Ref
from actors.supervised import supervised_actor, supervised_rest
from actors.supervised_service import SupervisorTools
from actors.supervisor import Supervisor
from actors.tools import open_pool, open_redis
from actors.tools.analysing import analysis_tools, slots
from actors.tools.batching import aggregator_tools
from actors.tools.cleaning import cleanup_policy, cleanup_tools
from actors.tools.detecting import detection_tools
from actors.tools.dispatching import dispatcher_tools
from actors.tools.monitoring import monitor_tools
from actors.tools.performing import performance_tools
from actors.tools.watching import camera_root, watcher_tools
from actors.tools.zoo import zoo_plan, zoo_tools
from domain.clock import SystemClock
from schemas.service import ServiceCategory
from settings import Settings
from storage.audit import Audit
from storage.live_bus import LiveBus
from storage.services import Services

CLEANUP_LOOK_SECONDS = 15.0
"""How often the clean-up service looks whether its next run is due."""
logger = logging.getLogger(__name__)

BREAKERS = (BREAKER, "nemotron")
"""Those that are there before anybody calls; the language model's has no calls while none is configured."""
API_WAITS_SECONDS = 10.0
"""An actor that hangs is away to the API after that."""

GPUS_OF_THE_ZOO = 0.2
"""A share of one card, as a detector's replica has it: Ray counts shares, the zoo's ledger counts memory."""


def actor_specs(settings: Settings, app_name: str) -> list[ActorSpec]:
    """Every actor but the supervisor, in the order of the pipeline."""
    workers = ["detection_worker"] + [f"detection_worker_{n}" for n in range(2, settings.detection_workers + 1)]
    specs = [
        ActorSpec("circuit_breakers", CircuitBreakers, lambda: (SystemClock(), BREAKERS), shown=False),
        ActorSpec("batch_aggregator", BatchAggregator, lambda: (partial(aggregator_tools, settings),)),
        *(
            ActorSpec(
                name,
                DetectionWorker,
                partial(_worker, detection_tools, settings, app_name, name),
                service="detection_worker",
            )
            for name in workers
        ),
        ActorSpec(
            "analysis_worker",
            AnalysisWorker,
            lambda: (*_worker(analysis_tools, settings, app_name, "analysis_worker"), slots(settings)),
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
            "model_zoo",
            ModelZoo,
            lambda: (zoo_plan(settings), partial(zoo_tools, settings)),
            ServiceCategory.AI,
            num_gpus=GPUS_OF_THE_ZOO if settings.model_zoo_device == "cuda" else 0,
        ),
        ActorSpec(
            "cleanup_service",
            CleanupService,
            lambda: (cleanup_policy(settings), CLEANUP_LOOK_SECONDS, partial(cleanup_tools, settings)),
        ),
        ActorSpec(
            "gpu_monitor",
            GpuMonitor,
            lambda: ("head", settings.gpu_poll_interval_seconds, partial(monitor_tools, settings)),
            ServiceCategory.MONITORING,
        ),
        ActorSpec(
            "performance_monitor",
            PerformanceMonitor,
            lambda: (partial(performance_tools, settings),),
            ServiceCategory.MONITORING,
        ),
    ]
    return [replace(spec, settings=settings) for spec in specs]


def _worker(tools: Callable[..., Any], settings: Settings, app_name: str, name: str) -> tuple[Any, ...]:
    return name, partial(tools, settings, app_name, name)


def start_supervisor(settings: Settings, app_name: str) -> None:
    """Starts the supervisor, which starts all the others."""
    tools = partial(supervisor_tools, settings, app_name)
    start_actor(ActorSpec("supervisor", Supervisor, lambda: (app_name, tools), settings=settings))


async def supervisor_tools(settings: Settings, app_name: str) -> SupervisorTools:
    """Starts every actor that is not there yet and not switched off, and says what is to be watched."""
    pool, redis = await open_pool(settings, "supervisor"), open_redis(settings)
    rows, specs = Services(pool), actor_specs(settings, app_name)
    disabled = await rows.disabled()
    for spec in specs:
        if (spec.service or spec.name) not in disabled:
            start_actor(spec)
    services = [*(supervised_actor(spec) for spec in specs), *supervised_rest(settings, app_name, pool, redis)]
    return SupervisorTools(services, rows, Audit(pool), LiveBus(redis, counted=count_live_frames), SystemClock())


def system_actors() -> SystemActors:
    """The actors that the API asks, by their names."""
    supervisor, breakers = (Ref(name, within_seconds=API_WAITS_SECONDS) for name in ("supervisor", "circuit_breakers"))
    cleanup = Ref("cleanup_service", within_seconds=API_WAITS_SECONDS, takes_its_time=True)  # a run takes what it takes
    return SystemActors(cast(SupervisorPort, supervisor), cast(BreakersPort, breakers), cast(CleanupPort, cleanup))


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
