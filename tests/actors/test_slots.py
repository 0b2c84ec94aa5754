"""Rows in work side by side, each under a lease of its own."""

import asyncio

import pytest

from actors.slots import Room, Slots
from storage.errors import StoreUnavailable
from tests.eventually import eventually


class Line:
    """Rows that wait to be claimed, and what was let go of."""

    def __init__(self, *rows: str) -> None:
        self.rows = [*rows]
        self.owners: list[str] = []
        self.released: list[tuple[str, bool]] = []
        self.open = asyncio.Event()
        self.done: list[str] = []
        self.faults: dict[str, Exception] = {}

    async def release(self, owner: str, tried: bool) -> int:
        self.released.append((owner, tried))
        return 0

    async def claim(self, owner: str) -> str | None:
        self.owners.append(owner)
        return self.rows.pop(0) if self.rows else None

    async def settle(self, row: str) -> None:
        await self.open.wait()
        if row in self.faults:
            raise self.faults.pop(row)
        self.done.append(row)


async def _fill(slots: Slots, line: Line) -> bool:
    return await slots.fill(line.release, line.claim, line.settle)


async def test_rows_are_in_work_beside_each_other_until_the_room_is_full() -> None:
    slots, line = Slots("w", 4, Room(2)), Line("a", "b", "c")
    assert await _fill(slots, line)
    assert await _fill(slots, line)
    await eventually(lambda: slots.in_work == 2)
    assert (slots.has_room, line.done) == (False, [])
    assert len(set(line.owners)) == 2
    line.open.set()
    await eventually(lambda: slots.has_room)
    assert sorted(line.done) == ["a", "b"]


async def test_where_nothing_waits_the_slot_is_free_again() -> None:
    slots, line = Slots("w", 1, Room(1)), Line()
    assert not await _fill(slots, line)
    await eventually(lambda: slots.has_room)


async def test_two_kinds_of_rows_share_one_room() -> None:
    room = Room(2)
    some, others, line = Slots("a", 2, room), Slots("b", 1, room), Line("1", "2")
    await _fill(some, line)
    await _fill(others, line)
    assert not some.has_room
    line.open.set()
    await room.freed(20)
    await eventually(lambda: room.free == 2)


async def test_a_claim_that_fails_is_raised_and_its_slot_is_free_again() -> None:
    slots, line = Slots("w", 1, Room(1)), Line()

    async def away(owner: str) -> str | None:
        raise StoreUnavailable("away")

    with pytest.raises(StoreUnavailable):
        await slots.fill(line.release, away, line.settle)
    await eventually(lambda: slots.has_room)


async def test_a_row_that_breaks_off_is_let_go_of_first_and_no_other_is() -> None:
    room = Room(3)
    slots, line = Slots("w", 3, room), Line("bad", "good")
    line.faults["bad"] = StoreUnavailable("away")
    await _fill(slots, line)
    await _fill(slots, line)
    line.open.set()
    await eventually(lambda: slots.holds_broken and line.done == ["good"] and room.free == 3)
    line.released.clear()
    line.rows.append("next")
    await _fill(slots, line)
    assert line.released == [(line.owners[0], False)]
    assert line.owners[2] == line.owners[0]
    await eventually(lambda: "next" in line.done)
    assert not slots.holds_broken


async def test_stopping_waits_for_what_ends_by_itself() -> None:
    slots, line = Slots("w", 1, Room(1)), Line("a")
    await _fill(slots, line)
    line.released.clear()
    stopping = asyncio.create_task(slots.stop(line.release))
    line.open.set()
    await stopping
    assert (line.done, line.released) == (["a"], [])


async def test_stopping_ends_the_rest_and_lets_go_of_it_untried() -> None:
    slots, line = Slots("w", 1, Room(1)), Line("a")
    await _fill(slots, line)
    line.released.clear()
    await slots.stop(line.release)
    assert (line.done, line.released, slots.in_work) == ([], [("w/1", False)], 0)
