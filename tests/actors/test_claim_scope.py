"""Claims one after another: what a broken-off claim held is let go of before the next one."""

import pytest

from actors.claim_scope import ClaimScope
from storage.errors import StoreUnavailable


class Queue:
    def __init__(self) -> None:
        self.released: list[tuple[str, bool]] = []

    async def release(self, owner: str, tried: bool) -> int:
        self.released.append((owner, tried))
        return 0


async def test_the_first_claim_frees_what_an_earlier_life_held_and_counts_it_as_a_try() -> None:
    queue, scope = Queue(), ClaimScope("worker-1")
    async with scope.claim(queue.release):
        pass
    assert queue.released == [("worker-1", True)]


async def test_a_claim_that_ended_in_order_is_not_released_again() -> None:
    queue, scope = Queue(), ClaimScope("worker-1")
    for _ in range(3):
        async with scope.claim(queue.release):
            pass
    assert len(queue.released) == 1


@pytest.mark.parametrize(("error", "tried"), [(StoreUnavailable("away"), False), (ValueError("poison"), True)])
async def test_a_store_that_is_away_costs_no_try_and_any_other_failure_does(error: Exception, tried: bool) -> None:
    queue, scope = Queue(), ClaimScope("worker-1")
    async with scope.claim(queue.release):
        pass
    with pytest.raises(type(error)):
        async with scope.claim(queue.release):
            raise error
    async with scope.claim(queue.release):
        pass
    assert queue.released[1:] == [("worker-1", tried)]


async def test_a_release_that_fails_is_tried_again_before_the_next_claim() -> None:
    queue, scope = Queue(), ClaimScope("worker-1")

    async def away(owner: str, tried: bool) -> int:
        raise StoreUnavailable("away")

    with pytest.raises(StoreUnavailable):
        async with scope.claim(away):
            raise AssertionError("nothing may be claimed before the old leases are free")
    async with scope.claim(queue.release):
        pass
    assert queue.released == [("worker-1", True)]
