"""Every circuit breaker's state, in one place for all replicas. When it dies, breakers start closed again."""

import logging
from collections.abc import Awaitable

from actors.ports import BreakersPort
from domain.circuit_breaker import Admitted, CircuitBreaker, Rejected
from domain.clock import Clock
from schemas.breaker import Breaker, BreakerReset
from schemas.service import Health
from storage.errors import NotFound

logger = logging.getLogger(__name__)


class CircuitBreakers:
    """Breakers by name; one exists from its first call on, the pipeline's own from the start."""

    def __init__(self, clock: Clock, names: tuple[str, ...] = ()) -> None:
        self._clock = clock
        self._breakers = {name: CircuitBreaker(name) for name in names}

    async def start(self) -> None:
        """Nothing to arm: it only answers."""

    async def stop(self) -> None:
        """Nothing to end."""

    async def health(self) -> Health:
        opened = [breaker.name for breaker in await self.status() if breaker.state != "closed"]
        return Health(healthy=True, message=f"not closed: {', '.join(opened)}" if opened else None)

    async def admit(self, name: str) -> Admitted | Rejected:
        breaker = self._breakers.setdefault(name, CircuitBreaker(name))
        return breaker.admit(self._clock.now())

    async def succeeded(self, name: str, admitted: Admitted) -> None:
        if name in self._breakers:
            self._breakers[name].succeed(admitted, self._clock.now())

    async def failed(self, name: str, admitted: Admitted) -> None:
        if name in self._breakers:
            self._breakers[name].fail(admitted, self._clock.now())

    async def released(self, name: str, admitted: Admitted) -> None:
        """The call said nothing about the service."""
        if name in self._breakers:
            self._breakers[name].release(admitted)

    async def status(self) -> list[Breaker]:
        return [breaker.status() for breaker in self._breakers.values()]

    async def reset(self, name: str) -> BreakerReset:
        """Closes it by hand. Raises NotFound."""
        if name not in self._breakers:
            raise NotFound(f"there is no circuit breaker {name}")
        breaker = self._breakers[name]
        before = breaker.status()
        breaker.reset(self._clock.now())
        return BreakerReset(before=before, after=breaker.status())


class UnstoppedByBreakers:
    """The breakers as a worker asks them: an actor that is away never stops a call."""

    def __init__(self, breakers: BreakersPort) -> None:
        self._breakers = breakers

    async def admit(self, name: str) -> Admitted | Rejected:
        try:
            return await self._breakers.admit(name)
        except Exception as error:
            logger.warning("circuit breakers do not answer, calls go on: %s", error)
            return Admitted(call=0, generation=-1)

    async def succeeded(self, name: str, admitted: Admitted) -> None:
        await self._tell(self._breakers.succeeded(name, admitted))

    async def failed(self, name: str, admitted: Admitted) -> None:
        await self._tell(self._breakers.failed(name, admitted))

    async def released(self, name: str, admitted: Admitted) -> None:
        await self._tell(self._breakers.released(name, admitted))

    async def status(self) -> list[Breaker]:
        return await self._breakers.status()

    async def reset(self, name: str) -> BreakerReset:
        return await self._breakers.reset(name)

    async def _tell(self, call: Awaitable[None]) -> None:
        try:
            await call
        except Exception as error:
            logger.warning("circuit breakers do not answer, a result is not counted: %s", error)
