"""How an actor is started on Ray: from its plain class, under its name, restarting for ever."""

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ray

from actors.process import arm_process, flush_process
from actors.ref import NAMESPACE
from schemas.service import ServiceCategory
from settings import Settings

FLUSH_SECONDS = 1.0
"""For the last lines of an actor that ends."""


@dataclass(frozen=True)
class ActorSpec:
    """One named actor: its plain class and a function that makes its constructor's arguments."""

    name: str
    kind: type
    arguments: Callable[[], tuple[Any, ...]]
    category: ServiceCategory = ServiceCategory.INFRASTRUCTURE
    shown: bool = True
    """Whether the API shows it."""
    service: str = ""
    """What the API shows it as, where several actors are one service; its own name when empty."""
    num_gpus: float = 0
    """The share of a card that Ray keeps for it, and shows it."""
    settings: Settings | None = None
    """What its process arms its log and its figures with."""


def start_actor(spec: ActorSpec) -> None:
    """Starts the actor if none of its name lives. It restarts for ever and arms its own loop each time."""
    ray.remote(_armed(spec.kind)).options(
        name=spec.name,
        namespace=NAMESPACE,
        lifetime="detached",
        max_restarts=-1,
        num_cpus=0,
        num_gpus=spec.num_gpus or None,
        get_if_exists=True,
    ).remote(spec.name, spec.settings, *spec.arguments())


def _armed(kind: type) -> type:
    """The actor's class on Ray: under its own name, and with a constructor that has the loop started.

    After a restart Ray runs the constructor and nothing else, so the actor sends itself `start`. The constructor
    itself only assigns: an exception in it would kill the actor for good.
    """

    class Armed(kind):
        def __init__(self, name: str, settings: Settings | None, *arguments: Any) -> None:
            if settings is not None:
                arm_process(name, settings)
            super().__init__(*arguments)
            threading.Thread(target=_send_start, args=(name,), daemon=True).start()

        async def stop(self) -> None:
            await super().stop()
            await asyncio.to_thread(flush_process, FLUSH_SECONDS)

    Armed.__name__ = Armed.__qualname__ = kind.__name__
    return Armed


def _send_start(name: str) -> None:
    while True:
        try:
            ray.get(ray.get_actor(name, namespace=NAMESPACE).start.remote(), timeout=30)
        except Exception:
            time.sleep(0.2)
        else:
            return
