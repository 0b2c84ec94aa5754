"""The whole system, wired; read this first.

hsi up, hsi demo                 launch/system.py: own stores, migrations, Ray, then build() below
serve run serve_app:app          app() below: the same, in a Ray that Serve starts
ray_cluster.yaml                 app() with DATABASE_URL and REDIS_URL set

api ×2 ──starts──▶ supervisor ──starts, watches──▶ file_watcher, detection_worker, batch_aggregator,
  │  └─asks─▶ supervisor, circuit_breakers,        analysis_worker, alert_dispatcher, circuit_breakers,
  │           cleanup_service                      cleanup_service, model_zoo, gpu_monitor, performance_monitor
  ├─ yolo_detector ×n ◀──frames── detection_worker
  └─ nemotron_analyzer ×n ◀──questions── analysis_worker          where a language model is configured
"""

import asyncio
import atexit
import os
import signal
import sys
from typing import Any

import ray
from ray import serve
from ray.serve.schema import LoggingConfig

from deployments.api.ingress import ApiIngress
from deployments.detector import DetectorReplica
from deployments.model_place import Place, place
from deployments.nemotron import NemotronReplica, calls_at_once
from deployments.ray_environment import ray_environment
from deployments.ray_llm import ray_llm_application
from language.errors import ModelAway
from launch.ground import Ground
from launch.keys import settle_keys
from settings import Settings, SettingsError, load_settings
from storage.migrate import migrate
from storage.system_lock import SystemState

SOCKETS_AND_REQUESTS_A_REPLICA = 4096
STACKS_A_DETECTOR = 8


def build(settings: Settings, *, may_grow: bool = False) -> serve.Application:
    """The Serve application; the stores' addresses stand in the settings.

    `may_grow`: whether cards that are not there yet may come when something asks for them.
    """
    quiet = LoggingConfig(log_level="WARNING", enable_access_log=False)
    detector = serve.deployment(
        name="yolo_detector",
        num_replicas=settings.detector_replicas,
        max_ongoing_requests=STACKS_A_DETECTOR,
        ray_actor_options={"num_cpus": 0.1, "num_gpus": _gpus_a_detector(settings)},
        graceful_shutdown_timeout_s=5,
        graceful_shutdown_wait_loop_s=0.1,
        logging_config=quiet,
    )(DetectorReplica)
    api = serve.deployment(
        name="api",
        num_replicas=settings.api_replicas,
        max_ongoing_requests=SOCKETS_AND_REQUESTS_A_REPLICA,
        ray_actor_options={"num_cpus": 0.1},
        graceful_shutdown_timeout_s=5,
        graceful_shutdown_wait_loop_s=0.1,
        logging_config=quiet,
    )(ApiIngress)
    tied = [detector.bind(settings)]
    if settings.has_language_model:
        tied.append(_language_model(settings, quiet, may_grow))
    return api.bind(settings, *tied)


def _language_model(settings: Settings, quiet: LoggingConfig, may_grow: bool) -> serve.Application:
    """Its replicas are there at once, and load the model while everything else works."""
    where = place(settings, None if may_grow else float(ray.cluster_resources().get("GPU", 0)))
    engine = None
    if settings.nemotron_engine == "ray_llm" and settings.nemotron_url is None and where.missing is None:
        where, engine = _ray_llm(settings)
    analyzer = serve.deployment(
        name="nemotron_analyzer",
        num_replicas=settings.nemotron_replicas,
        max_ongoing_requests=calls_at_once(settings),
        ray_actor_options={"num_cpus": 0.1, "num_gpus": where.cards},
        graceful_shutdown_timeout_s=10,
        graceful_shutdown_wait_loop_s=0.1,
        logging_config=quiet,
    )(NemotronReplica)
    return analyzer.bind(settings, where, engine)


def _ray_llm(settings: Settings) -> tuple[Place, serve.Application | None]:
    """The engine's deployment, whose replicas have the cards; or why there is none, which the analyzer tells."""
    try:
        return Place(0), ray_llm_application(settings)
    except (ImportError, ValueError, ModelAway) as error:
        return Place(0, f"NEMOTRON_ENGINE=ray_llm cannot be had ({type(error).__name__}: {error})"), None


def app(_arguments: dict[str, Any]) -> serve.Application:
    """What `serve run` and a RayService build. In a Ray that runs already, the stores must be configured."""
    settings = load_settings()
    if ray.is_initialized():
        return build(_with_stores(settings), may_grow=True)
    _have_ray_read(ray_environment(settings))
    ground = Ground(settings, print)
    atexit.register(ground.clear)
    settings = ground.prepare()
    ground.start_ray()
    ground.start_proxy()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # Serve's command ends in order at Ctrl-C only
    ground.mark(SystemState.RUNNING)
    return build(settings)


def _have_ray_read(environment: dict[str, str]) -> None:
    """Ray read its environment when Serve's command imported it: run the command anew with what it must find."""
    if os.environ.get("RAY_AUTH_TOKEN_PATH") != environment["RAY_AUTH_TOKEN_PATH"]:
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], os.environ | environment)


def _with_stores(settings: Settings) -> Settings:
    if settings.database_url is None or settings.redis_url is None:
        raise SettingsError("on a cluster set DATABASE_URL and REDIS_URL: every node must reach the same stores")
    asyncio.run(migrate(settings.database_url.get_secret_value()))
    if "api_host" not in settings.model_fields_set:
        settings = settings.model_copy(update={"api_host": "0.0.0.0"})  # the cluster decides, as a rule for a network
    if settings.asks_for_keys and not settings.api_keys:
        raise SettingsError("on a cluster set API_KEYS: a key made here would be shown in nothing but Ray's logs")
    settle_keys(settings, print)
    return settings


def _gpus_a_detector(settings: Settings) -> float:
    """A share of a card when a card is asked for; `auto` takes what the replica can see."""
    return 0.2 if settings.detector_device.startswith("cuda") else 0
