"""The model zoo: loads models on first use, runs them, and makes room within one budget of memory.

What is lost when it dies: nothing but what was in memory; its successor loads again on first use. What the API shows
of it are the rows that it writes.

    run ──▶ loaded? ──yes──▶ in a thread ──▶ detections
              └no──▶ room (others leave) ──▶ load, one at a time ──▶ measured ──▶ charged what it really takes
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from actors.model_records import ModelRecord
from actors.model_rows import ModelRows, ZooTools
from actors.work_loop import WorkLoop
from domain.clock import Clock, SystemClock
from domain.model_ledger import ModelLedger, NeverFits, NoRoom, Room
from domain.model_registry import MODELS, registered
from schemas.detection import DetectedObject
from schemas.model import ZooModel
from schemas.service import Health
from storage.errors import StoreUnavailable
from vision.cores import usable_cores
from vision.given_picture import GivenPicture
from vision.zoo.errors import ModelBusy, ModelUnavailable
from vision.zoo.loaded import LoadedModel
from vision.zoo.shelf import Look, ModelShelf, ShelfPlan

T = TypeVar("T")

logger = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 5.0
"""How often the folder is looked at; a model that is asked for is looked at at once."""
ROOM_SECONDS = 30.0
"""How long a model waits for what is in use to be done, before its caller is told."""
MOST_UNDER_WAY = 64
"""Calls that run or wait; one more is refused, since pictures wait in memory."""
FAREWELL_SECONDS = 5.0


@dataclass(frozen=True)
class ZooPlan:
    """What the settings say."""

    shelf: ShelfPlan
    budget_mb: int
    enabled: frozenset[str]


class ModelZoo:
    """State changes only between awaits of its one loop; whatever blocks runs in threads, so it always answers."""

    def __init__(
        self,
        plan: ZooPlan,
        connect: Callable[[], Awaitable[ZooTools]],
        clock: Clock | None = None,
        room_seconds: float = ROOM_SECONDS,
    ) -> None:
        self._clock = clock or SystemClock()
        self._room_seconds = room_seconds
        self._shelf = ModelShelf(plan.shelf)
        self._ledger = ModelLedger(plan.budget_mb, {name: model.vram_mb for name, model in MODELS.items()})
        self._records = {
            name: ModelRecord(model, name in plan.enabled, plan.shelf.folder / model.files[0])
            for name, model in MODELS.items()
        }
        self._rows = ModelRows(connect)
        self._looked_at = float("-inf")
        self._stopped = False
        self._changed = asyncio.Event()
        self._loads: dict[str, asyncio.Task[LoadedModel]] = {}
        self._under_way: set[asyncio.Task[Any]] = set()
        self._waiting: set[asyncio.Future[None]] = set()
        # One thread loads and unloads, so that memory is given back before it is taken and each load is measured alone.
        self._loader = ThreadPoolExecutor(1, thread_name_prefix="zoo-loader")
        self._runners = ThreadPoolExecutor(max(1, plan.shelf.threads or usable_cores()), thread_name_prefix="zoo-run")
        self._loop = WorkLoop("model_zoo", self.look_and_write, self._wait)

    async def start(self) -> None:
        self._stopped = False
        self._loop.start()

    async def stop(self) -> None:
        """Ends what is in hand, unloads what is not in use then, and writes that down."""
        self._stopped = True
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=FAREWELL_SECONDS)
        await self._loop.stop()
        for name, record in self._records.items():
            if record.loaded is not None and not self._ledger.references(name):
                self._retire(name)
        with suppress(StoreUnavailable):  # the rows' readers see by the service's own row that it does not run
            await self._rows.write(await self.status(), self._clock.now())

    async def health(self) -> Health:
        """A model that is missing or broken is no fault of the zoo's: its own row says so."""
        detail = {
            "loaded": [name for name, record in self._records.items() if record.loaded is not None],
            "vram_used_mb": self._ledger.used_mb,
            "vram_budget_mb": self._ledger.budget_mb,
            "calls_under_way": len(self._under_way),
        }
        return self._loop.health().model_copy(update={"detail": detail})

    async def run(self, name: str, image: GivenPicture, confidence: float | None = None) -> list[DetectedObject]:
        """What the model finds in the picture, in the picture's own pixels; loads it on first use.

        `image`: an H×W×3 uint8 BGR array, the bytes of a JPEG or PNG, or a path. Raises UnknownModel,
        ModelUnavailable, ModelBusy, InferenceFailed, UnreadablePicture, and ValueError for an array that is no picture.
        """
        return await self._to_its_end(name, lambda model: self._find(name, model, image, confidence))

    async def load(self, name: str) -> ZooModel:
        """Loads it now, if it is not. Raises UnknownModel, ModelUnavailable, ModelBusy."""
        return await self._to_its_end(name, lambda _: self._shown(name))

    async def unload(self, name: str) -> ZooModel:
        """Gives its memory back, if it is loaded. Raises UnknownModel, and ModelBusy while it is in use."""
        registered(name)
        if self._ledger.references(name) or name in self._loads:
            raise ModelBusy(name, "it is in use")
        if self._records[name].loaded is not None:
            await asyncio.wrap_future(self._retire(name))
        return await self._shown(name)

    async def status(self) -> list[ZooModel]:
        """All of them, as the registry orders them."""
        return [record.shown(self._ledger) for record in self._records.values()]

    async def look_and_write(self) -> bool:
        """Looks at the folder when that is due, and writes down what has changed."""
        if self._clock.monotonic() - self._looked_at >= LOOK_EVERY_SECONDS:
            self._looked_at = self._clock.monotonic()
            for name, look in (await asyncio.to_thread(self._shelf.look_at_all)).items():
                self._see(name, look)
        for row in await self._rows.left_before():
            self._records[row.name].adopt(row)
        await self._rows.write(await self.status(), self._clock.now())
        return False

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), seconds)
        self._changed.clear()

    async def _shown(self, name: str) -> ZooModel:
        return self._records[name].shown(self._ledger)

    async def _to_its_end(self, name: str, work: Callable[[LoadedModel], Awaitable[T]]) -> T:
        """`work` with the loaded model, which does not leave meanwhile, whether or not the caller still waits."""
        registered(name)
        if self._stopped:
            raise ModelUnavailable(name, "the model zoo has been stopped")
        if len(self._under_way) >= MOST_UNDER_WAY:
            raise ModelBusy(name, f"{MOST_UNDER_WAY} calls are under way")
        task = asyncio.create_task(self._with_reference(name, work))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        task.add_done_callback(_take_note)
        return await asyncio.shield(task)

    async def _with_reference(self, name: str, work: Callable[[LoadedModel], Awaitable[T]]) -> T:
        self._ledger.take(name)
        try:
            return await work(await self._loaded(name))
        finally:
            self._ledger.give_back(name)
            self._room_may_have_come()

    async def _find(
        self, name: str, model: LoadedModel, image: GivenPicture, confidence: float | None
    ) -> list[DetectedObject]:
        def timed() -> tuple[list[DetectedObject], float]:
            before = self._clock.monotonic()
            return model.run(image, confidence), (self._clock.monotonic() - before) * 1e3

        found, milliseconds = await asyncio.get_running_loop().run_in_executor(self._runners, timed)
        record = self._records[name]
        record.inference_count += 1
        record.last_used = self._clock.now()
        self._rows.note(name, record.last_used, milliseconds)
        return found

    async def _loaded(self, name: str) -> LoadedModel:
        """The model; whoever comes first has it loaded, the others wait for that. The caller holds a reference."""
        loaded = self._records[name].loaded
        if loaded is not None:
            return loaded
        if name not in self._loads:
            task = self._loads[name] = asyncio.create_task(self._bring_in(name))
            task.add_done_callback(lambda _: self._loads.pop(name))
            task.add_done_callback(_take_note)
        return await asyncio.shield(self._loads[name])

    async def _bring_in(self, name: str) -> LoadedModel:
        record = self._records[name]
        self._see(name, await asyncio.to_thread(self._shelf.look, name))
        reason = record.why_not(self._ledger)
        if reason is not None and not record.worth_another_try(self._clock.monotonic()):
            raise ModelUnavailable(name, reason)
        await self._make_room(name)
        record.loading = True
        self._changed.set()
        before = self._clock.monotonic()
        try:
            loaded = await asyncio.get_running_loop().run_in_executor(self._loader, self._shelf.load, name)
        except ModelUnavailable as error:
            self._ledger.release(name)
            self._room_may_have_come()
            record.fail(error.reason, self._clock.monotonic())
            raise
        finally:
            record.loading = False
            self._changed.set()
        decision = self._ledger.settle(name, loaded.footprint_mb)
        self._clear_out(name, decision, loaded.model)
        record.take_in(loaded.model, round((self._clock.monotonic() - before) * 1e3))
        logger.info("loaded %s on %s, %s MB", name, loaded.model.device, self._ledger.cost(name))
        return loaded.model

    async def _make_room(self, name: str) -> None:
        """Returns with the model's room reserved; waits a while for what is in use."""
        decision: Room | NoRoom | NeverFits = self._ledger.reserve(name)
        try:
            async with asyncio.timeout(self._room_seconds):
                while isinstance(decision, NoRoom):
                    freed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                    self._waiting.add(freed)
                    await freed
                    decision = self._ledger.reserve(name)
        except TimeoutError:
            pass
        self._clear_out(name, decision)

    def _clear_out(self, name: str, decision: Room | NoRoom | NeverFits, model: LoadedModel | None = None) -> None:
        """Unloads what left for it; or the model itself where there is no room for it after all, which is raised."""
        if isinstance(decision, Room):
            for other in decision.left:
                self._retire(other)
            return
        if model is not None:
            self._loader.submit(self._shelf.unload, model)
            self._room_may_have_come()
        raise (ModelBusy if isinstance(decision, NoRoom) else ModelUnavailable)(name, decision.reason)

    def _retire(self, name: str) -> Future[None]:
        record = self._records[name]
        model, record.loaded = record.loaded, None
        assert model is not None, "only what is loaded leaves"
        self._ledger.release(name)
        self._room_may_have_come()
        self._changed.set()
        return self._loader.submit(self._shelf.unload, model)

    def _see(self, name: str, look: Look) -> None:
        if self._records[name].see(look):
            self._ledger.forget_measurement(name)

    def _room_may_have_come(self) -> None:
        waiting, self._waiting = self._waiting, set()
        for freed in waiting:
            if not freed.done():
                freed.set_result(None)


def _take_note(task: asyncio.Task[Any]) -> None:
    """An error that nobody waits for any more has been seen."""
    if not task.cancelled():
        task.exception()
