"""Probes are bounded, and one at a time."""

import asyncio

import pytest

from deployments.api.views.probes import Probe
from storage.errors import StoreUnavailable


async def test_a_store_that_hangs_is_told_after_the_patience_and_asked_once() -> None:
    asked = 0
    release = asyncio.Event()

    async def hang() -> str:
        nonlocal asked
        asked += 1
        await release.wait()
        return "here"

    probe = Probe("Database", hang, patience=0.01)
    first, second = await probe(), await probe()
    assert first.fault == second.fault == "Database did not answer within 10 ms"
    assert asked == 1
    release.set()
    await asyncio.sleep(0)
    third = await probe()
    assert (third.value, third.fault) == ("here", None)
    probe.close()


async def test_a_store_that_is_away_is_told_without_its_address() -> None:
    async def away() -> str:
        raise StoreUnavailable("PostgreSQL: connection to 10.0.0.1 refused")

    found = await Probe("Database", away)()
    assert (found.value, found.fault) == (None, "Database is away")


async def test_a_defect_is_no_verdict_on_the_store() -> None:
    async def broken() -> str:
        raise KeyError("ours")

    with pytest.raises(KeyError):
        await Probe("Database", broken)()
