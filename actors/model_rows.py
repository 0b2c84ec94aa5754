"""What the zoo writes down: a row a model whenever it has changed, and how long each picture took."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.model import ZooModel
from storage.latency import LatencySamples
from storage.models import Models

MOST_SAMPLES = 10_000
"""Kept while the database is away; later ones are not noted."""


@dataclass(frozen=True)
class ZooTools:
    """What the zoo works with, opened in its own process."""

    models: Models
    latencies: LatencySamples


class ModelRows:
    """Connects when it is first asked, again and again; a failure to write loses nothing."""

    def __init__(self, connect: Callable[[], Awaitable[ZooTools]]) -> None:
        self._connect = connect
        self._tools: ZooTools | None = None
        self._read = False
        self._written: dict[str, ZooModel] = {}
        self._samples: dict[str, list[tuple[datetime, float]]] = {}

    async def left_before(self) -> Sequence[ZooModel]:
        """What an earlier process wrote; told once, and nothing after that."""
        if self._read:
            return ()
        if self._tools is None:
            self._tools = await self._connect()
        rows = await self._tools.models.list()
        self._read = True
        return rows

    def note(self, name: str, ended: datetime, milliseconds: float) -> None:
        if sum(map(len, self._samples.values())) < MOST_SAMPLES:
            self._samples.setdefault(name, []).append((ended, milliseconds))

    async def write(self, models: Sequence[ZooModel], at: datetime) -> None:
        """Writes what is not written yet. Does nothing before the rows of an earlier process were read."""
        if self._tools is None or not self._read:
            return
        changed = [model for model in models if self._written.get(model.name) != model]
        if changed:
            await self._tools.models.upsert_many(changed, at)
            self._written |= {model.name: model for model in changed}
        for name in list(self._samples):
            samples = list(self._samples[name])
            await self._tools.latencies.add(series_of(name), samples)
            del self._samples[name][: len(samples)]
            if not self._samples[name]:
                del self._samples[name]


def series_of(name: str) -> str:
    """Under which a model's latencies are kept."""
    return f"model:{name}"
