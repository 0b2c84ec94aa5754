"""A Serve deployment's replicas, ended one by one so that the rest go on answering; Serve starts them again."""

import asyncio
import logging

import ray
import ray.util
from ray import serve

logger = logging.getLogger(__name__)

SERVE_NAMESPACE = "serve"
DRAIN_SECONDS = 8.0
COMING_SECONDS = 80.0
LOOK_EVERY_SECONDS = 0.5


async def restart_replicas(app_name: str, deployment: str, begin_after_seconds: float = 0.0) -> None:
    """Each ends what it has in hand, within limits, and is gone before its successor is waited for.

    Raises TimeoutError when a successor does not come.
    """
    await asyncio.sleep(begin_after_seconds)
    replicas = await asyncio.to_thread(_named, app_name, deployment)
    for name in replicas:
        await _end(name)
        async with asyncio.timeout(COMING_SECONDS):
            while True:
                if await asyncio.to_thread(_is_complete, app_name, deployment, name, len(replicas)):
                    break
                await asyncio.sleep(LOOK_EVERY_SECONDS)


async def _end(name: str) -> None:
    try:
        replica = ray.get_actor(name, namespace=SERVE_NAMESPACE)
        # As Serve's controller ends a replica: it takes no new requests and finishes those that it has.
        async with asyncio.timeout(DRAIN_SECONDS):
            await replica.perform_graceful_shutdown.remote()
    except ValueError:
        return  # gone already
    except Exception as error:
        logger.warning("%s did not end its requests: %s", name, type(error).__name__)
    await asyncio.to_thread(ray.kill, replica)


def _named(app_name: str, deployment: str) -> list[str]:
    """The actors of the replicas that live now."""
    prefix = f"SERVE_REPLICA::{app_name}#{deployment}#"
    living = ray.util.list_named_actors(all_namespaces=True)
    return sorted(
        entry["name"] for entry in living if entry["namespace"] == SERVE_NAMESPACE and entry["name"].startswith(prefix)
    )


def _is_complete(app_name: str, deployment: str, ended: str, count: int) -> bool:
    """Whether a successor has come: as long as it has no name, Serve has not noticed that the other is gone."""
    names = _named(app_name, deployment)
    if ended in names or len(names) < count:
        return False
    states = serve.status().applications[app_name].deployments[deployment].replica_states
    return int(states.get("RUNNING", 0)) >= count
