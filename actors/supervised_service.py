"""One service as the supervisor has it: how to ask it how it is, how to start it again, and what a person may ask."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from domain.clock import Clock
from domain.service_actions import NO_LIMITS, Limits
from domain.supervision import Observation
from schemas.service import Health, ServiceCategory, ServiceStatus
from storage.audit import Audit
from storage.live_bus import LiveBus
from storage.services import Services

PROBE_SECONDS = 1.8


class Gone(Exception):
    """A probe found nothing alive to ask."""


class Starting(Exception):
    """A probe found a service that is being started by somebody else, such as Ray."""


@dataclass(frozen=True)
class ByHand:
    """How a person's wish is carried out. Each may be called again when it was broken off."""

    restart: Callable[[], Awaitable[None]]
    """Ends what runs, after what it has in hand, and sees to it that it is started again; starts what is dead."""
    disable: Callable[[], Awaitable[None]] | None = None
    """Ends it for good. None for what the limits say cannot be disabled."""
    enable: Callable[[], Awaitable[None]] | None = None
    limits: Limits = NO_LIMITS
    answers_first: bool = False
    """Whether the asker is told before anything happens: the answer goes through what is restarted."""


@dataclass(frozen=True)
class SupervisedService:
    """One service, or one of several workers that are one service to the API."""

    name: str
    category: ServiceCategory
    probe: Callable[[], Awaitable[Health]]
    """Raises Gone when nothing is there, Starting when somebody starts it; any other error is a failing service."""
    restart: Callable[[], Awaitable[None]] | None
    """After a failure; None: somebody else does."""
    status_when_idle: ServiceStatus | None = None
    """A fixed status, for a service that is a choice and was not made."""
    shown: bool = True
    service: str = ""
    """What the API shows it as; its own name when empty."""
    by_hand: ByHand | None = None

    @property
    def shown_as(self) -> str:
        return self.service or self.name


@dataclass(frozen=True)
class SupervisorTools:
    """What the supervisor works with, opened in its own process."""

    services: Sequence[SupervisedService]
    rows: Services
    audit: Audit
    live: LiveBus
    clock: Clock


async def observe(service: SupervisedService) -> tuple[Observation, Health]:
    """What one probe finds, within its time."""
    if service.status_when_idle is not None:
        return Observation.HEALTHY, Health(healthy=True)
    try:
        health = await asyncio.wait_for(service.probe(), PROBE_SECONDS)
    except Gone as error:
        return Observation.DEAD, Health(healthy=False, message=str(error))
    except Starting as error:
        return Observation.STARTING, Health(healthy=False, message=str(error))
    except TimeoutError:
        return Observation.FAILING, Health(healthy=False, message=f"no answer within {PROBE_SECONDS} s")
    except Exception as error:
        return Observation.FAILING, Health(healthy=False, message=f"{type(error).__name__}: {error}")
    return (Observation.HEALTHY if health.healthy else Observation.FAILING), health
