"""What an operator changes while the system runs holds for the next picture, batch and event; nothing is restarted."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import redis.asyncio

from schemas.alert_rule import AlertRuleCreate, Channel
from schemas.audit import Caller
from schemas.notification import NewQuietHours
from schemas.severity import SeverityBands
from storage.alert_rules import AlertRules
from storage.config import ANOMALY, SEVERITY, SYSTEM
from storage.postgres import Pool
from storage.preferences import Preferences
from tests.actors.bench import Bench
from tests.actors.test_analysis_worker import Desk
from tests.actors.test_batch_aggregator import Yard
from tests.storage.pieces import found_in, later, seen
from tests.storage.rows import NOON, Rows

OPERATOR = Caller(actor="local", ip_address=None)


@pytest.fixture
async def yard(database: Pool, redis_client: redis.asyncio.Redis) -> AsyncIterator[Yard]:
    await Rows(database).camera()
    made = Yard(database, database, redis_client)
    await made.aggregator.start()
    yield made
    await made.aggregator.stop()
    await made.doorbells.aclose()


@pytest.fixture
async def desk(database: Pool, redis_client: redis.asyncio.Redis) -> AsyncIterator[Desk]:
    await Rows(database).camera(name="The front door", created_at=NOON - timedelta(days=60))
    made = Desk(database, database, redis_client)
    await made.worker.start()
    yield made
    await made.worker.stop()


async def test_the_detection_worker_takes_a_new_threshold_for_the_next_picture(bench: Bench) -> None:
    await bench.worker.start()
    for number, threshold in enumerate((0.7, 0.95, 0.0), start=1):
        named = {"detection_confidence_threshold": threshold}
        await bench.tools.configs.change(SYSTEM, named, OPERATOR)
        await bench.queued(f"{number}.jpg")
        await bench.hands_over(number)
    assert bench.detector.confidences == [0.7, 0.95, 0.0]


async def test_the_aggregator_closes_an_open_batch_by_the_new_times(yard: Yard) -> None:
    (file,) = await yard.files(1)
    await yard.aggregator.add([found_in(file, seen())])
    await yard.passes(10)
    assert await yard.rows() == [("open", None, 1)]
    await yard.tools.configs.change(SYSTEM, {"batch_idle_timeout_seconds": 5}, OPERATOR)
    await yard.becomes(("closed", "idle", 1))  # without a further picture, and without being rung


async def test_the_aggregator_opens_the_next_batch_with_the_new_window(yard: Yard) -> None:
    first, *others = await yard.files(4, seconds_apart=20)
    await yard.aggregator.add([found_in(first, seen())])
    await yard.tools.configs.change(SYSTEM, {"batch_window_seconds": 30}, OPERATOR)
    for file in others:
        await yard.aggregator.add([found_in(file, seen())])
    assert await yard.rows() == [("closed", "gap", 2), ("open", None, 2)]


async def test_the_analysis_worker_takes_new_bands_for_the_next_event_and_leaves_the_stored_ones(desk: Desk) -> None:
    desk.assessor.risk_score = 70
    await desk.closed("person")
    await desk.stores(1)
    bands = SeverityBands(low_max=10, medium_max=20, high_max=30)
    await desk.tools.configs.change(SEVERITY, {"severity": bands}, OPERATOR)
    await desk.closed("person")
    await desk.stores(2)
    assert [event["risk_level"] for event in await desk.events()] == ["high", "critical"]


async def test_the_analysis_worker_calls_the_next_event_unusual_by_the_new_figures(desk: Desk) -> None:
    await desk.closed("person")
    await desk.stores(1)
    named = {"anomaly_min_samples": 1, "anomaly_threshold_stdev": 0.5}
    await desk.tools.configs.change(ANOMALY, named, OPERATOR)
    await desk.closed("person", started_at=later(7 * 86_400))
    await desk.stores(2)
    before, after = [asked.unusual[0].reliable for asked in desk.assessor.asked]
    assert (before, after) == (False, True)


@pytest.fixture
async def preferences(desk: Desk) -> Preferences:
    """Everything that matches is sent by e-mail, at 13:05 by the house's clock."""
    desk.assessor.risk_score = 70
    await AlertRules(desk.database).create(AlertRuleCreate(name="Any", channels=(Channel.EMAIL,), cooldown_seconds=0))
    return Preferences(desk.database)


async def _next_event_is_told_of(desk: Desk) -> str | None:
    """Why the next event's delivery is not sent; None when it is."""
    stored = len(await desk.events())
    await desk.closed("person")
    await desk.stores(stored + 1)
    newest = await desk.database.fetchrow(
        "SELECT suppressed_because FROM deliveries d JOIN alerts a ON a.id = d.alert_id ORDER BY a.event_id DESC"
    )
    assert newest is not None
    because: str | None = newest["suppressed_because"]
    return because


@pytest.mark.parametrize(
    ("named", "because"),
    [
        ({"enabled": False}, "notifications are switched off"),
        ({"risk_filters": ("critical", "medium", "low")}, "level high is not among the levels to be told of"),
    ],
)
async def test_preferences_hold_for_the_next_event(
    desk: Desk, preferences: Preferences, named: dict[str, Any], because: str
) -> None:
    assert await _next_event_is_told_of(desk) is None
    await preferences.change(named, OPERATOR)
    assert (await _next_event_is_told_of(desk) or "").startswith(because)


async def test_a_cameras_settings_hold_for_the_next_event(desk: Desk, preferences: Preferences) -> None:
    await preferences.change_camera("front_door", {"risk_threshold": 71}, OPERATOR)
    assert await _next_event_is_told_of(desk) == "score 70 is below this camera's threshold of 71"
    await preferences.change_camera("front_door", {"risk_threshold": 70}, OPERATOR)
    assert await _next_event_is_told_of(desk) is None
    await preferences.change_camera("front_door", {"enabled": False}, OPERATOR)
    assert await _next_event_is_told_of(desk) == "camera front_door is muted"


async def test_quiet_hours_hold_for_the_next_event_and_no_longer_than_they_stand(
    desk: Desk, preferences: Preferences
) -> None:
    noon = NewQuietHours.model_validate({"label": "Noon", "start_time": "13:00", "end_time": "14:00", "days": ()})
    made = await preferences.add_quiet_hours(noon, OPERATOR)
    assert await _next_event_is_told_of(desk) == "quiet hours 'Noon' until 14:00"
    await preferences.delete_quiet_hours(made.id, OPERATOR)
    assert await _next_event_is_told_of(desk) is None


async def test_whether_critical_events_pass_quiet_hours_holds_for_the_next_one(
    desk: Desk, preferences: Preferences
) -> None:
    desk.assessor.risk_score = 90
    noon = NewQuietHours.model_validate({"label": "Noon", "start_time": "13:00", "end_time": "14:00", "days": ()})
    await preferences.add_quiet_hours(noon, OPERATOR)
    assert await _next_event_is_told_of(desk) is None
    await preferences.change({"critical_passes_quiet_hours": False}, OPERATOR)
    assert await _next_event_is_told_of(desk) == "quiet hours 'Noon' until 14:00"


async def test_the_next_event_waits_for_no_change_that_is_under_way(desk: Desk, preferences: Preferences) -> None:
    async with desk.database.acquire() as connection, connection.transaction():
        await connection.execute("UPDATE notification_preferences SET enabled = false")
        assert await _next_event_is_told_of(desk) is None
    assert await _next_event_is_told_of(desk) == "notifications are switched off"
