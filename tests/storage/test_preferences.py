"""Preferences, settings by camera and quiet hours: changed one after another, each with its audit entry."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.audit import AuditEntry, Caller
from schemas.notification import CameraNotificationSetting, NewQuietHours, NotificationPreferences, QuietHours, Sound
from schemas.severity import Severity
from storage.audit import Audit
from storage.cameras import Cameras
from storage.errors import Conflict, NotFound
from storage.postgres import Pool
from storage.preferences import MOST_QUIET_HOURS, Preferences
from tests.storage.rows import Rows

CALLER = Caller(actor="local", ip_address=None)


@pytest.fixture
async def preferences(database: Pool) -> Preferences:
    await Rows(database).camera()
    return Preferences(database)


async def entries(pool: Pool) -> list[AuditEntry]:
    """Oldest first."""
    return list(reversed(await Audit(pool).list(limit=1000)))


def night(**values: Any) -> NewQuietHours:
    given = {"label": "Night", "start_time": "22:00", "end_time": "06:00", "days": ("mon", "fri")}
    return NewQuietHours.model_validate(given | values)


async def test_a_fresh_system_has_the_documented_preferences(preferences: Preferences) -> None:
    assert await preferences.get() == NotificationPreferences()


async def test_a_change_replaces_what_it_names_and_is_audited(preferences: Preferences, database: Pool) -> None:
    told = await preferences.change({"sound": Sound.CHIME, "risk_filters": (Severity.CRITICAL,)}, CALLER)
    assert told == NotificationPreferences(sound=Sound.CHIME, risk_filters=(Severity.CRITICAL,))
    assert await preferences.get() == told
    (entry,) = await entries(database)
    assert (entry.action, entry.resource_type) == ("settings_changed", "notification_preferences")
    assert entry.details["changes"] == {
        "sound": {"old": "default", "new": "chime"},
        "risk_filters": {"old": ["critical", "high", "medium"], "new": ["critical"]},
    }


async def test_preferences_that_are_so_already_are_not_audited(preferences: Preferences, database: Pool) -> None:
    await preferences.change({"enabled": True}, CALLER)
    await preferences.change({}, CALLER)
    assert await entries(database) == []


async def test_changes_of_preferences_at_once_follow_one_another(preferences: Preferences, database: Pool) -> None:
    sounds = [Sound.CHIME, Sound.ALERT, Sound.URGENT, Sound.NONE]
    await asyncio.gather(*(preferences.change({"sound": sounds[n % 4]}, CALLER) for n in range(40)))
    steps = [entry.details["changes"]["sound"] for entry in await entries(database)]
    assert [step["old"] for step in steps] == ["default", *(step["new"] for step in steps[:-1])]
    assert (await preferences.get()).sound == steps[-1]["new"]


async def test_a_lost_row_of_preferences_is_made_again(preferences: Preferences, database: Pool) -> None:
    await database.execute("DELETE FROM notification_preferences")
    assert await preferences.get() == NotificationPreferences()
    await preferences.change({"enabled": False}, CALLER)
    assert not (await preferences.get()).enabled


async def test_a_camera_has_no_settings_until_they_are_made(preferences: Preferences, database: Pool) -> None:
    assert await preferences.cameras() == []
    with pytest.raises(NotFound, match="no notification settings for camera front_door"):
        await preferences.camera("front_door")
    made = await preferences.change_camera("front_door", {"risk_threshold": 75}, CALLER)
    assert made == CameraNotificationSetting(id=made.id, camera_id="front_door", enabled=True, risk_threshold=75)
    assert await preferences.camera("front_door") == made
    assert await preferences.cameras() == [made]
    (entry,) = await entries(database)
    assert (entry.resource_type, entry.resource_id) == ("camera_notification_settings", "front_door")
    assert entry.details["changes"] == {
        "enabled": {"old": None, "new": True},
        "risk_threshold": {"old": None, "new": 75},
    }


async def test_a_first_setting_of_nothing_makes_the_defaults(preferences: Preferences) -> None:
    made = await preferences.change_camera("front_door", {}, CALLER)
    assert (made.enabled, made.risk_threshold) == (True, 0)
    assert await preferences.camera("front_door") == made


async def test_a_cameras_later_change_replaces_what_it_names(preferences: Preferences, database: Pool) -> None:
    first = await preferences.change_camera("front_door", {"risk_threshold": 75}, CALLER)
    second = await preferences.change_camera("front_door", {"enabled": False}, CALLER)
    assert second == first.model_copy(update={"enabled": False})
    assert await preferences.change_camera("front_door", {"enabled": False}, CALLER) == second
    assert [entry.details["changes"] for entry in (await entries(database))[1:]] == [
        {"enabled": {"old": True, "new": False}}
    ]


async def test_first_settings_of_one_camera_at_once_make_one_row(preferences: Preferences, database: Pool) -> None:
    await asyncio.gather(
        *(preferences.change_camera("front_door", {"risk_threshold": n}, CALLER) for n in range(1, 21))
    )
    steps = [entry.details["changes"]["risk_threshold"] for entry in await entries(database)]
    assert [step["old"] for step in steps] == [None, *(step["new"] for step in steps[:-1])]
    assert (await preferences.camera("front_door")).risk_threshold == steps[-1]["new"]


async def test_a_camera_that_does_not_exist_or_was_deleted_has_no_settings(
    preferences: Preferences, database: Pool
) -> None:
    with pytest.raises(NotFound, match="there is no camera attic"):
        await preferences.change_camera("attic", {}, CALLER)
    await preferences.change_camera("front_door", {}, CALLER)
    await Cameras(database).delete("front_door")
    assert await preferences.cameras() == []
    with pytest.raises(NotFound):
        await preferences.camera("front_door")
    with pytest.raises(NotFound):
        await preferences.change_camera("front_door", {}, CALLER)


async def test_quiet_hours_are_made_listed_and_deleted(preferences: Preferences, database: Pool) -> None:
    first = await preferences.add_quiet_hours(night(), CALLER)
    second = await preferences.add_quiet_hours(night(label="Noon", start_time="12:00:30", end_time="13:00"), CALLER)
    assert await preferences.quiet_hours() == [first, second]
    assert first == QuietHours(id=first.id, **night().model_dump())
    await preferences.delete_quiet_hours(first.id, CALLER)
    assert await preferences.quiet_hours() == [second]
    with pytest.raises(NotFound, match=f"no quiet hours {first.id}"):
        await preferences.delete_quiet_hours(first.id, CALLER)
    made, _, deleted = await entries(database)
    assert (made.resource_type, made.resource_id) == ("quiet_hours", str(first.id))
    whole = {"label": "Night", "start_time": "22:00", "end_time": "06:00", "days": ["mon", "fri"]}
    assert made.details["changes"] == {field: {"old": None, "new": value} for field, value in whole.items()}
    assert deleted.details["changes"] == {field: {"old": value, "new": None} for field, value in whole.items()}


async def test_a_number_beyond_the_columns_range_is_not_found(preferences: Preferences) -> None:
    with pytest.raises(NotFound):
        await preferences.delete_quiet_hours(2**63 - 1, CALLER)


async def test_of_many_deletions_of_one_period_one_is_audited(preferences: Preferences, database: Pool) -> None:
    period = await preferences.add_quiet_hours(night(), CALLER)
    answers = await asyncio.gather(
        *(preferences.delete_quiet_hours(period.id, CALLER) for _ in range(10)), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["NoneType", *["NotFound"] * 9]
    assert len(await entries(database)) == 2


async def test_there_are_so_many_quiet_hours_and_no_more_even_at_once(preferences: Preferences, database: Pool) -> None:
    for _ in range(MOST_QUIET_HOURS - 1):
        await database.execute(
            "INSERT INTO quiet_hours (label, start_time, end_time, days) VALUES ('x', '01:00', '02:00', '{}')"
        )
    answers = await asyncio.gather(
        *(preferences.add_quiet_hours(night(), CALLER) for _ in range(5)), return_exceptions=True
    )
    assert sorted(type(answer) is Conflict for answer in answers) == [False, True, True, True, True]
    assert len(await preferences.quiet_hours()) == MOST_QUIET_HOURS


async def test_quiet_is_asked_of_a_moment_by_the_houses_clock(preferences: Preferences) -> None:
    monday = datetime(2025, 12, 22, tzinfo=UTC)
    assert not await preferences.quiet_at(monday + timedelta(hours=22.5), "UTC")
    await preferences.add_quiet_hours(night(days=("mon",)), CALLER)
    assert await preferences.quiet_at(monday + timedelta(hours=22.5), "UTC")
    assert await preferences.quiet_at(monday + timedelta(hours=29.9), "UTC")
    assert not await preferences.quiet_at(monday + timedelta(hours=29.9), "Europe/Berlin")
    assert not await preferences.quiet_at(monday + timedelta(hours=46.5), "UTC")
