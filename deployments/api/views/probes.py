"""Asking the stores how they are, within 300 ms whatever they do."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from deployments.api.views.readiness import Readiness, StoreAnswers, judge
from domain.clock import Clock
from schemas.service import Service
from storage.errors import StoreError

PATIENCE_SECONDS = 0.3

T = TypeVar("T")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Found(Generic[T]):
    value: T | None
    fault: str | None
    milliseconds: float | None = None
    """From the question to its answer."""


class Probe(Generic[T]):
    """One question, under way once at most: a store that hangs gets no queue of probes before it."""

    def __init__(
        self,
        name: str,
        ask: Callable[[], Awaitable[T]],
        patience: float = PATIENCE_SECONDS,
        faults: tuple[type[Exception], ...] = (StoreError,),
    ) -> None:
        """`faults`: what says that the asked one is away; anything else is a defect of ours, and raised."""
        self._name = name
        self._ask = ask
        self._patience = patience
        self._faults = faults
        self._asking: asyncio.Task[T] | None = None
        self._took = 0.0

    async def __call__(self) -> Found[T]:
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._asked())
        asking = self._asking
        await asyncio.wait([asking], timeout=self._patience)
        if not asking.done():
            return Found(None, f"{self._name} did not answer within {self._patience * 1000:.0f} ms")
        if asking.cancelled():
            return Found(None, f"{self._name} was not asked: the API is shutting down")
        error = asking.exception()
        if error is None:
            return Found(asking.result(), None, self._took)
        if not isinstance(error, self._faults):
            raise error
        _log.warning("%s: %s", self._name, error)
        return Found(None, f"{self._name} is away")

    async def _asked(self) -> T:
        began = asyncio.get_running_loop().time()
        answer = await self._ask()
        self._took = round((asyncio.get_running_loop().time() - began) * 1000, 1)
        return answer

    def close(self) -> None:
        if self._asking is not None:
            self._asking.cancel()


class ReadinessProbe:
    """Asks both stores at once and judges."""

    def __init__(
        self,
        services: Callable[[], Awaitable[Sequence[Service]]],
        redis_version: Callable[[], Awaitable[str]],
        clock: Clock,
    ) -> None:
        self._database = Probe("Database", services)
        self._redis = Probe("Redis", redis_version)
        self._clock = clock

    async def __call__(self) -> Readiness:
        return judge(await self.answers(), self._clock.now())

    async def answers(self) -> StoreAnswers:
        """What both stores say within 300 ms."""
        database, redis = await asyncio.gather(self._database(), self._redis())
        return StoreAnswers(
            database.value, database.fault, redis.value, redis.fault, database.milliseconds, redis.milliseconds
        )

    def close(self) -> None:
        self._database.close()
        self._redis.close()
