"""From closed batches to events, with their alerts."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
import redis.asyncio

from actors.alerting import Alerting
from actors.analysis_tools import AnalysisTools
from actors.analysis_worker import AnalysisWorker
from actors.assessors import DeterministicAssessor
from actors.event_commit import EventCommit
from actors.evidence import EvidenceRows, Surroundings
from schemas.alert_rule import AlertRuleCreate, Channel
from schemas.frame import LiveChannel
from schemas.runtime_config import RuntimeConfig
from storage.alert_rules import AlertRules
from storage.assessments import Assessments
from storage.baselines import Baselines
from storage.batches import Batches
from storage.config import RuntimeConfigs
from storage.doorbells import Doorbells
from storage.errors import StoreUnavailable
from storage.live_bus import LiveBus
from storage.postgres import Pool, connect_pool
from storage.preferences import Preferences
from storage.recent_events import RecentEvents
from storage.redis import connect_redis
from tests.actors.fakes import FakeAssessor, FakeClock
from tests.eventually import eventually
from tests.storage.pieces import LEASE, TRIES, expire_leases, later, make_claimable
from tests.storage.rows import NOON, Rows
from tests.storage.wire import Wire


def recipients(channel: Channel) -> Sequence[str]:
    return ("me@example.com",) if channel is Channel.EMAIL else ()


def why_not(channel: Channel) -> str | None:
    return f"{channel} is not configured"


class Desk:
    """A worker over real rows; it works only between `start` and `stop`."""

    def __init__(self, pool: Pool, database: Pool, client: redis.asyncio.Redis) -> None:
        self.database = database
        self.rows = Rows(database)
        self.clock = FakeClock(NOON + timedelta(minutes=5))
        self.assessor = FakeAssessor()
        self.live = LiveBus(client)
        self.tools = AnalysisTools(
            batches=Batches(pool),
            evidence=EvidenceRows(
                Batches(pool), Baselines(pool), "Europe/Berlin", Surroundings(RecentEvents(pool), Preferences(pool))
            ),
            events=EventCommit(
                assessments=Assessments(pool),
                alerting=Alerting("Europe/Berlin", recipients, why_not),
                live=self.live,
                doorbells=Doorbells(client),
                clock=self.clock,
                timezone="Europe/Berlin",
            ),
            configs=RuntimeConfigs(pool, RuntimeConfig()),
            assessor=self.assessor,
            wait=self.wait,
            clock=self.clock,
            random=lambda: 0.5,
        )
        self.worker = AnalysisWorker("analysis_worker", self.connect)

    async def connect(self) -> AnalysisTools:
        return self.tools

    async def wait(self, _seconds: float) -> None:
        """Returns soon, so that a test need not ring."""
        await asyncio.sleep(0.01)

    async def closed(self, *types: str, **values: Any) -> str:
        """A closed batch of these detections."""
        batch = await self.rows.batch(closed_at=NOON, detection_count=len(types), **values)
        for object_type in types:
            media = await self.rows.media(path=f"{batch}{object_type}".encode())
            await self.rows.detection(batch, media, object_type=object_type)
        await self.database.execute("UPDATE batches SET state = 'closed' WHERE id = $1", batch)
        return str(batch)

    async def events(self) -> list[dict[str, Any]]:
        return [dict(row) for row in await self.database.fetch("SELECT * FROM events ORDER BY id")]

    async def batch(self) -> dict[str, Any]:
        return dict(await self.database.fetchrow("SELECT * FROM batches") or {})

    async def stores(self, count: int) -> None:
        await eventually(lambda: self._has(count))

    async def _has(self, count: int) -> bool:
        return len(await self.events()) == count


@pytest.fixture
async def desk(database: Pool, redis_client: redis.asyncio.Redis) -> AsyncIterator[Desk]:
    await Rows(database).camera(name="The front door", created_at=NOON - timedelta(days=60))
    made = Desk(database, database, redis_client)
    yield made
    await made.worker.stop()


async def test_a_closed_batch_becomes_an_event_with_the_reasons_of_its_score(desk: Desk) -> None:
    batch_id = await desk.closed("person", "dog")
    await desk.worker.start()
    await desk.stores(1)
    (event,) = await desk.events()
    assert (str(event["batch_id"]), event["camera_id"], event["assessed_by"]) == (
        batch_id,
        "front_door",
        "deterministic",
    )
    assert (event["object_types"], event["detection_count"]) == (["dog", "person"], 2)
    assert event["why"]["timezone"] == "Europe/Berlin"
    assert sum(factor["points"] for factor in event["why"]["factors"]) == event["risk_score"]
    assert [fact["object_type"] for fact in event["why"]["unusual"]] == ["dog", "person"]
    assert (await desk.batch())["state"] == "assessed"
    await eventually(lambda: _tells(desk, {"events_stored": 1}))


async def _tells(desk: Desk, detail: dict[str, int]) -> bool:
    return (await desk.worker.health()).detail == detail


async def test_the_level_is_that_of_the_configured_bands(desk: Desk) -> None:
    bands = {"low_max": 10, "medium_max": 20, "high_max": 30}
    await desk.database.execute("INSERT INTO runtime_config (id, value) VALUES (1, $1)", {"severity": bands})
    desk.assessor.risk_score = 31
    await desk.closed("person")
    await desk.worker.start()
    await desk.stores(1)
    (event,) = await desk.events()
    assert (event["risk_score"], event["risk_level"], event["why"]["severity_bands"]) == (31, "critical", bands)


async def test_the_assessor_is_given_the_rows_and_nothing_else(desk: Desk) -> None:
    await desk.closed("person")
    await desk.worker.start()
    await desk.stores(1)
    (asked,) = desk.assessor.asked
    assert (asked.batch.camera_name, asked.timezone) == ("The front door", "Europe/Berlin")
    assert [(one.object_type, one.picture_width) for one in asked.detections] == [("person", 1280)]


async def test_an_event_counts_in_its_cameras_baseline_at_its_hour_by_the_houses_clock(desk: Desk) -> None:
    await desk.closed("person", "dog", "person 2")
    await desk.worker.start()
    await desk.stores(1)
    found = await desk.database.fetch("SELECT object_type, weekday, hour, samples FROM baselines ORDER BY 1")
    assert [tuple(row) for row in found] == [("dog", 1, 13, 1), ("person", 1, 13, 1), ("person 2", 1, 13, 1)]


async def test_what_came_before_is_what_an_event_is_compared_with(desk: Desk) -> None:
    await desk.closed("person")
    await desk.worker.start()
    await desk.stores(1)
    await desk.closed("person", started_at=later(600))
    await desk.stores(2)
    before, after = [asked.unusual[0] for asked in desk.assessor.asked]
    assert (before.sample_count, before.slot_count) == (0, 0)
    assert (after.sample_count, after.slot_count) == (1, 1)
    assert after.expected_per_hour > before.expected_per_hour


async def test_an_event_is_told_and_the_dispatcher_is_rung_for_its_alerts(
    desk: Desk, redis_client: redis.asyncio.Redis
) -> None:
    ears = Doorbells(redis_client)
    bell = ears.bell("deliveries")
    await eventually(lambda: ears.connected)
    await bell.wait(0)
    await AlertRules(desk.database).create(AlertRuleCreate(name="Any", channels=(Channel.EMAIL, Channel.PUSH)))
    desk.assessor.risk_score = 70
    await desk.closed("person")
    await desk.worker.start()
    assert await bell.wait(20)
    await eventually(lambda: _told(desk, LiveChannel.ALERTS, 1))
    assert await _told(desk, LiveChannel.EVENTS, 2)
    found = await desk.database.fetch(
        "SELECT channel, recipient, status, suppressed_because FROM deliveries ORDER BY 1"
    )
    assert [tuple(row) for row in found] == [
        ("email", "me@example.com", "queued", None),
        ("push", "nobody", "suppressed", "push is not configured"),
    ]
    await ears.aclose()


async def _told(desk: Desk, channel: LiveChannel, count: int) -> bool:
    return await desk.live.last_sequence(channel) == count


async def test_events_inside_a_cooldown_that_are_assessed_side_by_side_make_one_alert(desk: Desk) -> None:
    await AlertRules(desk.database).create(AlertRuleCreate(name="Any", channels=(Channel.EMAIL,)))
    for _ in range(4):
        await desk.closed("person")
    await desk.worker.start()
    await desk.stores(4)
    assert await desk.database.fetchval("SELECT count(*) FROM alerts") == 1


async def test_an_assessor_that_fails_costs_a_try_and_the_batch_is_tried_again(desk: Desk) -> None:
    desk.assessor.raises.append(ValueError("nothing to say"))
    await desk.closed("person")
    await desk.worker.start()
    await eventually(lambda: _reason_is(desk, "ValueError: nothing to say"))
    batch = await desk.batch()
    assert (batch["state"], batch["attempts"]) == ("closed", 1)
    await make_claimable(desk.database, "batches")
    await desk.stores(1)
    assert (await desk.batch())["reason"] is None


async def _reason_is(desk: Desk, reason: str) -> bool:
    return bool((await desk.batch())["reason"] == reason)


async def test_a_batch_that_nobody_can_assess_dies_with_its_reason_and_the_others_do_not(desk: Desk) -> None:
    poison = await desk.closed("person")
    await desk.closed("dog")

    async def assess(evidence: Any, config: Any) -> Any:
        if evidence.batch.id == poison:
            raise ValueError("poison\x00")
        return await DeterministicAssessor().assess(evidence, config)

    desk.assessor.assess = assess  # type: ignore[method-assign]
    await desk.worker.start()
    await eventually(lambda: _dies(desk), seconds=60)
    assert [event["object_types"] for event in await desk.events()] == [["dog"]]
    row = await desk.database.fetchrow("SELECT reason, attempts FROM batches WHERE state = 'dead'")
    assert row is not None
    assert tuple(row) == ("ValueError: poison", 5)


async def _dies(desk: Desk) -> bool:
    await make_claimable(desk.database, "batches")
    return bool(await desk.database.fetchval("SELECT count(*) FROM batches WHERE state = 'dead'"))


async def test_a_failure_in_the_events_transaction_leaves_nothing_and_is_tried_again(desk: Desk) -> None:
    await desk.database.execute("ALTER TABLE alerts ADD CONSTRAINT not_today CHECK (severity <> 'medium')")
    await AlertRules(desk.database).create(AlertRuleCreate(name="Any"))
    await desk.closed("person")
    await desk.worker.start()
    await eventually(lambda: _failed(desk))
    assert await desk.events() == []
    assert await desk.database.fetchval("SELECT count(*) FROM baselines") == 0
    await desk.database.execute("ALTER TABLE alerts DROP CONSTRAINT not_today")
    await make_claimable(desk.database, "batches")
    await desk.stores(1)


async def _failed(desk: Desk) -> bool:
    batch = await desk.batch()
    return batch["reason"] is not None and batch["state"] == "closed"


async def test_a_lease_that_was_lost_meanwhile_is_harmless(desk: Desk) -> None:
    """Its assessment took too long, and another worker has claimed the batch."""

    async def taken_over() -> None:
        await expire_leases(desk.database, "batches")
        await desk.tools.batches.claim("another", 1, LEASE, TRIES)

    desk.assessor.meanwhile = taken_over
    await desk.closed("person")
    await desk.worker.start()
    await eventually(lambda: len(desk.assessor.asked) == 1)
    await eventually(lambda: _held_by(desk, "another/"))
    await desk.worker.stop()
    assert await desk.events() == []
    batch = await desk.batch()
    assert (batch["state"], batch["reason"]) == ("assessing", None)


async def _held_by(desk: Desk, owner: str) -> bool:
    return str((await desk.batch())["lease"]).startswith(owner)


async def test_at_start_it_takes_up_what_its_earlier_life_held(desk: Desk) -> None:
    await desk.closed("person")
    await desk.tools.batches.claim("analysis_worker", 1, LEASE, TRIES)
    await desk.worker.start()
    await desk.stores(1)
    assert (await desk.batch())["attempts"] == 2


async def test_a_batch_that_kills_its_workers_is_buried(desk: Desk) -> None:
    await desk.closed("person")
    for _ in range(TRIES):
        await desk.tools.batches.claim("dead", 1, LEASE, TRIES)
        await desk.tools.batches.release("dead")
    await desk.worker.start()
    await eventually(lambda: _reason_is(desk, "5 tries ended without an answer"))


async def test_a_database_that_goes_away_costs_no_try(
    database: Pool, database_url: str, redis_client: redis.asyncio.Redis
) -> None:
    await Rows(database).camera()
    async with Wire(database_url) as wire:
        pool = await connect_pool(wire.address, 1, 4, "tests")
        desk = Desk(pool, database, redis_client)
        desk.assessor.meanwhile = wire.cut
        for _ in range(2):
            await desk.closed("person")
        await desk.worker.start()
        await eventually(lambda: _unwell(desk))
        desk.assessor.meanwhile = None
        assert await desk.events() == []
        await wire.mend()
        await desk.stores(2)
        attempts = await database.fetch("SELECT attempts FROM batches")
        assert [row["attempts"] for row in attempts] == [1, 1]
        await desk.worker.stop()
        pool.terminate()


async def _unwell(desk: Desk) -> bool:
    return StoreUnavailable.__name__ in ((await desk.worker.health()).message or "")


async def test_redis_being_away_delays_and_loses_no_event(database: Pool, redis_url: str) -> None:
    await Rows(database).camera()
    async with Wire(redis_url) as wire:
        client = connect_redis(wire.address)
        desk = Desk(database, database, client)
        await wire.cut()
        await AlertRules(database).create(AlertRuleCreate(name="Any", channels=(Channel.EMAIL,)))
        await desk.closed("person")
        await desk.worker.start()
        await desk.stores(1)
        await desk.worker.stop()
        assert (await desk.batch())["state"] == "assessed"
        await client.aclose()
