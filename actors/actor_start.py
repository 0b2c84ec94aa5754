"""How an actor is started on Ray: from its plain class, under its name, restarting for ever."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ray

from actors.ref import NAMESPACE
from schemas.service import ServiceCategory


@dataclass(frozen=True)
class ActorSpec:
    """One named actor: its plain class and a function that makes its constructor's arguments."""

    name: str
    kind: type
    arguments: Callable[[], tuple[Any, ...]]
    category: ServiceCategory = ServiceCategory.INFRASTRUCTURE
    shown: bool = True
    """Whether it is a service of its own to the API."""


def start_actor(spec: ActorSpec) -> None:
    """Starts the actor if none of its name lives. It restarts for ever and arms its own loop each time."""
    ray.remote(_armed(spec.kind)).options(
        name=spec.name,
        namespace=NAMESPACE,
        lifetime="detached",
        max_restarts=-1,
        num_cpus=0,
        get_if_exists=True,
    ).remote(spec.name, *spec.arguments())


def _armed(kind: type) -> type:
    """The actor's class on Ray: under its own name, and with a constructor that has the loop started.

    After a restart Ray runs the constructor and nothing else, so the actor sends itself `start`. The constructor
    itself only assigns: an exception in it would kill the actor for good.
    """

    class Armed(kind):
        def __init__(self, name: str, *arguments: Any) -> None:
            super().__init__(*arguments)
            threading.Thread(target=_send_start, args=(name,), daemon=True).start()

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
