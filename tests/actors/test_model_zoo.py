"""The zoo on real small models: first use, one budget, references, failures, and what is written of all that."""

import asyncio
import pickle
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vision.zoo.shelf
from actors.model_rows import ZooTools
from actors.model_zoo import MOST_UNDER_WAY, ModelZoo, ZooPlan
from domain.model_registry import UnknownModel, enabled_models
from schemas.model import ModelStatus, ZooModel
from storage.errors import StoreUnavailable
from storage.latency import LatencySamples
from storage.models import Models
from storage.postgres import Pool
from tests.actors.fakes import START, FakeClock
from tests.eventually import eventually
from tests.vision.zoo_models import PICTURE, shelf_plan, weights
from vision.errors import InferenceFailed, UnreadablePicture
from vision.zoo.errors import ModelBusy, ModelUnavailable
from vision.zoo.shelf import Loaded, ModelShelf

FACE, PLATE, GENERAL, WORLD, DAMAGE = (
    "yolo11-face",
    "yolo11-license-plate",
    "yolo26-general",
    "yolo-world-s",
    "vehicle-damage-detection",
)


class Zoo:
    """A zoo over the folder of a test, and what its rows say."""

    def __init__(self, folder: Path, pool: Pool) -> None:
        self.folder = folder
        self.pool = pool
        self.clock = FakeClock()
        self.made: list[ModelZoo] = []
        self.away = False

    def make(self, budget_mb: int = 1650, room_seconds: float = 5.0, **switches: tuple[str, ...]) -> ModelZoo:
        plan = ZooPlan(shelf_plan(self.folder), budget_mb, enabled_models(**switches))
        zoo = ModelZoo(plan, self.connect, self.clock, room_seconds)
        self.made.append(zoo)
        return zoo

    async def connect(self) -> ZooTools:
        if self.away:
            raise StoreUnavailable("PostgreSQL: refused")
        return ZooTools(Models(self.pool), LatencySamples(self.pool))

    def weights(self, *names: str) -> None:
        for name in names:
            weights(self.folder / "zoo" / f"{name}.onnx")

    async def rows(self) -> dict[str, ZooModel]:
        return {row.name: row for row in await Models(self.pool).list()}


@pytest.fixture
async def house(tmp_path: Path, database: Pool) -> AsyncIterator[Zoo]:
    made = Zoo(tmp_path, database)
    yield made
    for zoo in made.made:
        await zoo.stop()


@pytest.fixture
def footprints(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """What a load of each model is measured at, in place of this process's real and tiny growth."""
    figures: dict[str, int] = {}
    real = ModelShelf.load

    def load(self: ModelShelf, name: str) -> Loaded:
        loaded = real(self, name)
        return Loaded(loaded.model, figures.get(name))

    monkeypatch.setattr(ModelShelf, "load", load)
    return figures


class Gate:
    """Holds a model's run or load where a test wants it."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.open = threading.Event()

    def __call__(self) -> None:
        self.entered.set()
        assert self.open.wait(60), "the test never opened its gate"


def gated(patch: pytest.MonkeyPatch, where: type, method: str, only: Callable[..., bool] = lambda *_: True) -> Gate:
    gate, real = Gate(), getattr(where, method)

    def waits(self: Any, *arguments: Any) -> Any:
        if only(*arguments):
            gate()
        return real(self, *arguments)

    patch.setattr(where, method, waits)
    return gate


async def shown(zoo: ModelZoo, name: str) -> ZooModel:
    return next(model for model in await zoo.status() if model.name == name)


async def loaded(zoo: ModelZoo) -> set[str]:
    return {model.name for model in await zoo.status() if model.status is ModelStatus.LOADED}


async def test_a_model_loads_on_first_use_and_finds_what_is_there(house: Zoo) -> None:
    house.weights(FACE)
    zoo = house.make()
    found = await zoo.run(FACE, PICTURE)
    assert [one.object_type for one in found] == ["person", "dog"]
    assert [one.confidence for one in found] == pytest.approx([0.9, 0.4])
    assert len(await zoo.run(FACE, PICTURE, 0.5)) == 1
    model = await shown(zoo, FACE)
    assert (model.status, model.device, model.available, model.reason) == (ModelStatus.LOADED, "cpu", True, None)
    assert (model.load_count, model.inference_count, model.last_used) == (1, 2, START)
    assert model.vram_measured
    assert (await zoo.health()).detail["vram_used_mb"] == model.vram_mb


async def test_what_was_done_is_written_as_rows_and_as_latencies(house: Zoo) -> None:
    house.weights(FACE)
    zoo = house.make()
    await zoo.run(FACE, PICTURE)
    await zoo.look_and_write()
    rows = await house.rows()
    assert len(rows) == 18
    assert rows[FACE] == await shown(zoo, FACE)
    assert rows["clip-vit-l"].reason == "this version has no loader for the family 'transformers'"
    assert rows[GENERAL].status is ModelStatus.DISABLED
    figures = await LatencySamples(house.pool).figures([f"model:{FACE}"], START.replace(hour=0))
    sampled = figures[f"model:{FACE}"]
    assert sampled is not None
    assert sampled.sample_count == 1
    await zoo.look_and_write()
    again = (await LatencySamples(house.pool).figures([f"model:{FACE}"], START.replace(hour=0)))[f"model:{FACE}"]
    assert again == sampled, "a sample was written twice"


async def test_its_loop_writes_by_itself_and_stopping_unloads(house: Zoo) -> None:
    house.weights(FACE)
    zoo = house.make()
    await zoo.start()
    await zoo.run(FACE, PICTURE)

    async def row_says(status: ModelStatus) -> bool:
        row = (await house.rows()).get(FACE)
        return row is not None and row.status is status

    await eventually(lambda: row_says(ModelStatus.LOADED))
    assert (await zoo.health()).healthy
    await zoo.stop()
    assert await row_says(ModelStatus.UNLOADED)
    with pytest.raises(ModelUnavailable, match="stopped"):
        await zoo.run(FACE, PICTURE)
    await zoo.start()
    assert len(await zoo.run(FACE, PICTURE)) == 2


async def test_counts_go_on_in_a_new_process_and_nothing_is_called_loaded_there(house: Zoo) -> None:
    house.weights(FACE)
    before = house.make()
    await before.run(FACE, PICTURE)
    await before.look_and_write()
    after = house.make()
    await after.look_and_write()
    row = (await house.rows())[FACE]
    assert (row.status, row.device, row.load_count, row.inference_count) == (ModelStatus.UNLOADED, None, 1, 1)
    assert row.last_used == START
    await after.run(FACE, PICTURE)
    assert (await shown(after, FACE)).load_count == 2
    assert (await shown(after, FACE)).inference_count == 2


async def test_without_a_database_models_run_and_are_written_once_it_is_back(house: Zoo) -> None:
    house.weights(FACE)
    house.away = True
    zoo = house.make()
    await zoo.run(FACE, PICTURE)
    with pytest.raises(StoreUnavailable):
        await zoo.look_and_write()
    house.away = False
    await zoo.look_and_write()
    assert (await house.rows())[FACE].inference_count == 1
    figures = await LatencySamples(house.pool).figures([f"model:{FACE}"], START.replace(hour=0))
    assert figures[f"model:{FACE}"] is not None


async def test_the_least_recently_used_leave_when_the_budget_would_be_passed(
    house: Zoo, footprints: dict[str, int]
) -> None:
    house.weights(FACE, PLATE, WORLD)
    footprints |= {FACE: 100, PLATE: 250, WORLD: 1200}
    zoo = house.make(1650)
    await zoo.run(FACE, PICTURE)
    await zoo.run(PLATE, PICTURE)
    await zoo.run(FACE, PICTURE)
    await zoo.run(WORLD, PICTURE)  # 1500 MB by the registry: only the most recently used stays
    assert await loaded(zoo) == {FACE, WORLD}
    assert (await zoo.health()).detail["vram_used_mb"] == 1300
    await zoo.run(PLATE, PICTURE)  # 250 MB were measured: all three fit
    assert await loaded(zoo) == {FACE, PLATE, WORLD}
    assert (await zoo.health()).detail["vram_used_mb"] == 1550


async def test_one_that_can_never_fit_is_refused_with_both_figures(house: Zoo) -> None:
    house.weights(DAMAGE)
    zoo = house.make()
    with pytest.raises(ModelUnavailable, match=r"needs 2000 MB and the whole budget is 1650 MB"):
        await zoo.run(DAMAGE, PICTURE)
    model = await shown(zoo, DAMAGE)
    assert (model.status, model.available) == (ModelStatus.UNLOADED, False)
    assert "2000 MB" in (model.reason or "")
    assert len(await house.make(2000).run(DAMAGE, PICTURE)) == 2


async def test_one_that_measures_larger_than_the_budget_is_unloaded_and_refused(
    house: Zoo, footprints: dict[str, int]
) -> None:
    house.weights(FACE)
    footprints[FACE] = 5000
    zoo = house.make()
    for _ in range(2):
        with pytest.raises(ModelUnavailable, match="needs 5000 MB"):
            await zoo.run(FACE, PICTURE)
    assert await loaded(zoo) == set()
    assert (await zoo.health()).detail["vram_used_mb"] == 0


async def test_two_first_uses_load_once(house: Zoo, monkeypatch: pytest.MonkeyPatch) -> None:
    house.weights(FACE)
    gate = gated(monkeypatch, ModelShelf, "load")
    zoo = house.make()
    runs = [asyncio.create_task(zoo.run(FACE, PICTURE)) for _ in range(8)]
    await eventually(gate.entered.is_set)
    gate.open.set()
    assert [len(found) for found in await asyncio.gather(*runs)] == [2] * 8
    assert (await shown(zoo, FACE)).load_count == 1


async def test_the_zoo_answers_while_it_loads(house: Zoo, monkeypatch: pytest.MonkeyPatch) -> None:
    house.weights(FACE)
    gate = gated(monkeypatch, ModelShelf, "load")
    zoo = house.make()
    await zoo.start()
    running = asyncio.create_task(zoo.run(FACE, PICTURE))
    await eventually(gate.entered.is_set)
    assert (await shown(zoo, FACE)).status is ModelStatus.LOADING
    assert (await zoo.health()).detail["vram_used_mb"] == 200
    await eventually(lambda: row_is(house, ModelStatus.LOADING))
    with pytest.raises(ModelBusy, match="in use"):
        await zoo.unload(FACE)
    gate.open.set()
    assert len(await running) == 2


async def row_is(house: Zoo, status: ModelStatus) -> bool:
    row = (await house.rows()).get(FACE)
    return row is not None and row.status is status


async def test_one_in_use_does_not_leave_and_its_successor_waits(
    house: Zoo, footprints: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    house.weights(FACE, WORLD)
    footprints |= {FACE: 200, WORLD: 1500}
    zoo = house.make()
    await zoo.load(FACE)
    gate = gated(monkeypatch, vision.zoo.ultralytics_family.YoloModel, "run", lambda image, _: image is HELD)
    using = asyncio.create_task(zoo.run(FACE, HELD))
    await eventually(gate.entered.is_set)
    waiting = asyncio.create_task(zoo.run(WORLD, PICTURE))
    await eventually(lambda: bool(zoo._waiting))
    assert await loaded(zoo) == {FACE}
    gate.open.set()
    assert len(await using) == 2
    assert len(await waiting) == 2
    assert await loaded(zoo) == {WORLD}


HELD = np.zeros((720, 1280, 3), np.uint8)
"""A picture that a test's gate knows."""


async def test_one_that_gets_no_room_in_time_is_told_who_has_it(
    house: Zoo, footprints: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    house.weights(FACE, WORLD)
    footprints |= {FACE: 200, WORLD: 1500}
    zoo = house.make(room_seconds=0.05)
    await zoo.load(FACE)
    gate = gated(monkeypatch, vision.zoo.ultralytics_family.YoloModel, "run", lambda image, _: image is HELD)
    using = asyncio.create_task(zoo.run(FACE, HELD))
    await eventually(gate.entered.is_set)
    with pytest.raises(ModelBusy, match="yolo11-face hold 200 MB and are in use"):
        await zoo.run(WORLD, PICTURE)
    assert (await shown(zoo, WORLD)).status is ModelStatus.UNLOADED
    gate.open.set()
    await using
    assert len(await zoo.run(WORLD, PICTURE)) == 2


async def test_a_caller_that_goes_away_does_not_take_the_model_from_under_its_run(
    house: Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.weights(FACE)
    zoo = house.make()
    await zoo.load(FACE)
    gate = gated(monkeypatch, vision.zoo.ultralytics_family.YoloModel, "run")
    running = asyncio.create_task(zoo.run(FACE, PICTURE))
    await eventually(gate.entered.is_set)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    with pytest.raises(ModelBusy, match="in use"):
        await zoo.unload(FACE)
    gate.open.set()
    await eventually(lambda: counted(zoo, 1))
    assert (await zoo.unload(FACE)).status is ModelStatus.UNLOADED


async def counted(zoo: ModelZoo, runs: int) -> bool:
    return (await shown(zoo, FACE)).inference_count == runs and (await zoo.health()).detail["calls_under_way"] == 0


async def test_corrupted_weights_are_an_error_without_a_charge_until_the_file_changes(
    house: Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    (house.folder / "zoo").mkdir()
    (house.folder / "zoo" / f"{FACE}.onnx").write_bytes(b"garbage" * 100)
    tries: list[str] = []
    real = ModelShelf.load

    def load(self: ModelShelf, name: str) -> Loaded:
        tries.append(name)
        return real(self, name)

    monkeypatch.setattr(ModelShelf, "load", load)
    zoo = house.make()
    for _ in range(3):
        with pytest.raises(ModelUnavailable, match=r"yolo11-face\.onnx: "):
            await zoo.run(FACE, PICTURE)
    assert tries == [FACE], "the same broken file was read again and again"
    await zoo.look_and_write()
    row = (await house.rows())[FACE]
    assert (row.status, row.available, row.load_count) == (ModelStatus.ERROR, False, 0)
    assert (await zoo.health()).detail["vram_used_mb"] == 0
    house.weights(FACE)
    assert len(await zoo.run(FACE, PICTURE)) == 2
    assert (await shown(zoo, FACE)).status is ModelStatus.LOADED


async def test_the_same_file_is_tried_again_after_a_minute(house: Zoo, monkeypatch: pytest.MonkeyPatch) -> None:
    house.weights(FACE)
    faults: list[Exception] = [ModelUnavailable(FACE, "the driver has gone")]
    real = ModelShelf.load

    def load(self: ModelShelf, name: str) -> Loaded:
        if faults:
            raise faults.pop()
        return real(self, name)

    monkeypatch.setattr(ModelShelf, "load", load)
    zoo = house.make()
    for _ in range(2):
        with pytest.raises(ModelUnavailable, match="the driver has gone"):
            await zoo.run(FACE, PICTURE)
    house.clock.advance(60)
    assert len(await zoo.run(FACE, PICTURE)) == 2


async def test_weights_that_come_later_are_noticed(house: Zoo) -> None:
    zoo = house.make()
    with pytest.raises(ModelUnavailable, match="not in MODEL_ZOO_DIR"):
        await zoo.run(FACE, PICTURE)
    await zoo.look_and_write()
    assert not (await house.rows())[FACE].available
    house.weights(FACE)
    house.clock.advance(5)
    await zoo.look_and_write()
    row = (await house.rows())[FACE]
    assert (row.available, row.reason, row.status) == (True, None, ModelStatus.UNLOADED)


async def test_a_model_that_is_switched_off_is_refused_with_the_reason(house: Zoo) -> None:
    house.weights(FACE, GENERAL)
    zoo = house.make(on=(GENERAL,), off=(FACE,))
    with pytest.raises(ModelUnavailable, match="switched off"):
        await zoo.load(FACE)
    assert (await shown(zoo, FACE)).status is ModelStatus.DISABLED
    assert (await zoo.load(GENERAL)).status is ModelStatus.LOADED


async def test_unloading_by_hand_frees_the_budget_and_is_harmless_twice(house: Zoo) -> None:
    house.weights(FACE)
    zoo = house.make()
    assert (await zoo.load(FACE)).status is ModelStatus.LOADED
    for _ in range(2):
        model = await zoo.unload(FACE)
        assert (model.status, model.device) == (ModelStatus.UNLOADED, None)
    assert (await zoo.health()).detail["vram_used_mb"] == 0


async def test_a_bad_picture_leaves_no_reference_and_is_not_counted(house: Zoo) -> None:
    house.weights(FACE)
    zoo = house.make()
    with pytest.raises(UnreadablePicture):
        await zoo.run(FACE, b"no picture")
    with pytest.raises(ValueError, match="no picture"):
        await zoo.run(FACE, np.zeros((3, 3)))  # type: ignore[arg-type]
    assert (await shown(zoo, FACE)).inference_count == 0
    assert (await zoo.unload(FACE)).status is ModelStatus.UNLOADED


async def test_an_unknown_model_is_refused_by_every_question(house: Zoo) -> None:
    zoo = house.make()
    for question in (zoo.run("insightface", PICTURE), zoo.load("insightface"), zoo.unload("insightface")):
        with pytest.raises(UnknownModel):
            await question


async def test_calls_are_bounded(house: Zoo, monkeypatch: pytest.MonkeyPatch) -> None:
    house.weights(FACE)
    gate = gated(monkeypatch, ModelShelf, "load")
    zoo = house.make()
    calls = [asyncio.create_task(zoo.run(FACE, PICTURE)) for _ in range(MOST_UNDER_WAY)]
    await eventually(gate.entered.is_set)
    with pytest.raises(ModelBusy, match=f"{MOST_UNDER_WAY} calls are under way"):
        await zoo.run(FACE, PICTURE)
    gate.open.set()
    assert len(await asyncio.gather(*calls)) == MOST_UNDER_WAY


async def test_many_callers_of_models_that_do_not_fit_together_are_all_served(
    house: Zoo, footprints: dict[str, int]
) -> None:
    house.weights(FACE, PLATE, GENERAL)
    footprints |= {FACE: 200, PLATE: 300, GENERAL: 400}
    zoo = house.make(500, room_seconds=60.0, on=(GENERAL,))
    names = [FACE, PLATE, GENERAL] * 10
    found = await asyncio.gather(*(zoo.run(name, PICTURE) for name in names))
    assert [len(one) for one in found] == [2] * 30
    used = (await zoo.health()).detail["vram_used_mb"]
    assert used == sum([model.vram_mb for model in await zoo.status() if model.status is ModelStatus.LOADED])
    assert used <= 500
    assert sum([model.inference_count for model in await zoo.status()]) == 30


async def test_a_failed_settling_among_several_loads_frees_what_it_held(house: Zoo, footprints: dict[str, int]) -> None:
    house.weights(FACE, PLATE)
    footprints |= {FACE: 200, PLATE: 9000}
    zoo = house.make(500)
    found = await asyncio.gather(zoo.run(FACE, PICTURE), zoo.run(PLATE, PICTURE), return_exceptions=True)
    assert isinstance(found[0], list)
    assert isinstance(found[1], ModelUnavailable)
    assert await loaded(zoo) == {FACE}


@pytest.mark.parametrize(
    "error",
    [ModelUnavailable(FACE, "why"), ModelBusy(FACE, "why"), UnknownModel("x"), InferenceFailed("why")],
)
def test_its_errors_survive_the_trip_between_processes(error: Exception) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.args, str(again)) == (type(error), error.args, str(error))
