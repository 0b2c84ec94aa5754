"""The zoo's ledger: what the loaded models are charged, and which leave when another needs their room.

not there ──reserve──▶ reserved ──settle──▶ charged ──leaves: least recently used, and not in use──▶ not there
               │          └──release (the load failed)──▶ not there
               └──▶ refused: NeverFits (larger than the whole budget) or NoRoom (what is loaded is in use)

What all are charged together never passes the budget. References are counted apart from charges: a model that is in
use, or that somebody waits for, never leaves.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Room:
    """There is room now; these have left for it and are no longer charged."""

    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NoRoom:
    """Not now: what is in use takes too much. Nothing has left."""

    needed_mb: int
    in_use: tuple[str, ...]
    in_use_mb: int
    budget_mb: int

    @property
    def reason(self) -> str:
        return (
            f"it needs {self.needed_mb} MB of a budget of {self.budget_mb} MB (VRAM_BUDGET_MB), of which "
            f"{', '.join(self.in_use)} hold {self.in_use_mb} MB and are in use; try again"
        )


@dataclass(frozen=True, slots=True)
class NeverFits:
    """Larger than the whole budget, whatever leaves."""

    needed_mb: int
    budget_mb: int

    @property
    def reason(self) -> str:
        return (
            f"it needs {self.needed_mb} MB and the whole budget is {self.budget_mb} MB: "
            f"raise VRAM_BUDGET_MB to {self.needed_mb} or more"
        )


class ModelLedger:
    """One budget, in MB. `expected`: what each model costs until a load of it has been measured."""

    def __init__(self, budget_mb: int, expected: Mapping[str, int]) -> None:
        self.budget_mb = budget_mb
        self._expected = dict(expected)
        self._measured: dict[str, int] = {}
        self._charges: dict[str, int] = {}
        """From the least to the most recently used."""
        self._reserved: set[str] = set()
        self._references: dict[str, int] = {}

    @property
    def used_mb(self) -> int:
        return sum(self._charges.values())

    @property
    def charged(self) -> tuple[str, ...]:
        """Loaded or being loaded, the least recently used first."""
        return tuple(self._charges)

    def cost(self, name: str) -> int:
        return self._measured.get(name, self._expected[name])

    def is_measured(self, name: str) -> bool:
        return name in self._measured

    def references(self, name: str) -> int:
        return self._references.get(name, 0)

    def never_fits(self, name: str) -> NeverFits | None:
        cost = self.cost(name)
        return NeverFits(cost, self.budget_mb) if cost > self.budget_mb else None

    def take(self, name: str) -> None:
        """Somebody uses it or waits for it: it stays until given back."""
        self._references[name] = self.references(name) + 1
        self._touch(name)

    def give_back(self, name: str) -> None:
        if self.references(name) == 0:
            raise ValueError(f"{name} is given back and nobody has it")
        self._references[name] -= 1
        self._touch(name)

    def reserve(self, name: str) -> Room | NoRoom | NeverFits:
        """Room for a model about to be loaded; counts as used from now on."""
        if name in self._charges:
            raise ValueError(f"{name} has its room already")
        decision = self.never_fits(name) or self._make_room(name, self.cost(name))
        if isinstance(decision, Room):
            self._charges[name] = self.cost(name)
            self._reserved.add(name)
        return decision

    def settle(self, name: str, measured_mb: int | None) -> Room | NoRoom | NeverFits:
        """It has been loaded and this is its footprint, if that is known.

        Anything but Room means that it has grown out of its room, is charged no more, and has to be unloaded.
        """
        if name not in self._reserved:
            raise ValueError(f"{name} was not being loaded")
        self.release(name)
        if measured_mb is not None:
            self._measured[name] = measured_mb
        decision = self.never_fits(name) or self._make_room(name, self.cost(name))
        if isinstance(decision, Room):
            self._charges[name] = self.cost(name)
        return decision

    def release(self, name: str) -> None:
        """It holds no memory any more, or its load failed."""
        self._charges.pop(name, None)
        self._reserved.discard(name)

    def forget_measurement(self, name: str) -> None:
        """Its weights are others now: until they are measured the expected figure holds."""
        if name not in self._charges:
            self._measured.pop(name, None)

    def _touch(self, name: str) -> None:
        if name in self._charges:
            self._charges[name] = self._charges.pop(name)

    def _make_room(self, name: str, needed: int) -> Room | NoRoom:
        free = self.budget_mb - self.used_mb
        leaving: list[str] = []
        for other, charge in self._charges.items():
            if free >= needed:
                break
            if charge and other not in self._reserved and not self.references(other):
                leaving.append(other)
                free += charge
        if free < needed:
            held = {other: charge for other, charge in self._charges.items() if other not in leaving and charge}
            return NoRoom(needed, tuple(held), sum(held.values()), self.budget_mb)
        for other in leaving:
            self.release(other)
        return Room(tuple(leaving))
