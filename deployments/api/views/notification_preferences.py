"""Notification preferences as they are asked for and shown: quiet hours by full weekdays, with seconds."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, StrictStr, WithJsonSchema

from deployments.api.errors import BadRequest
from deployments.api.parameters import Checked
from deployments.api.partial import PartialChange, may_be_named
from schemas.alert_rule import ClockTime, Day, Name, Weekday
from schemas.frozen import Frozen, Whole
from schemas.notification import CameraNotificationSetting, NewQuietHours, QuietHours, Sound
from schemas.severity import Severity

DayName = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

_DAYS: dict[Weekday, DayName] = {
    Weekday.MON: "monday",
    Weekday.TUE: "tuesday",
    Weekday.WED: "wednesday",
    Weekday.THU: "thursday",
    Weekday.FRI: "friday",
    Weekday.SAT: "saturday",
    Weekday.SUN: "sunday",
}
_LEVELS = tuple(sorted(Severity, key=lambda level: level.rank, reverse=True))
_SOUND_SCHEMA = {"type": "string", "enum": [sound.value for sound in Sound]}
_LEVEL_SCHEMA = {"type": "string", "enum": [level.value for level in _LEVELS]}
_DAY_SCHEMA = {
    "type": "string",
    "enum": [*_DAYS.values(), *(day.value for day in _DAYS)],
    "description": "In full or in short, in any case of letters.",
}
_TIME_SCHEMA = {
    "type": "string",
    "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$",
    "examples": ["22:00:00"],
}


class PreferencesChange(PartialChange):
    """What is left out stays as it is."""

    enabled: bool = may_be_named(strict=True)
    """Whether anybody is notified of anything; alerts are raised and shown all the same."""
    sound: Annotated[StrictStr, WithJsonSchema(_SOUND_SCHEMA)] = may_be_named()
    risk_filters: tuple[Annotated[StrictStr, WithJsonSchema(_LEVEL_SCHEMA)], ...] = may_be_named(max_length=100)
    """Levels of event that are told of; empty: none. Kept without repetition, from critical to low."""
    critical_passes_quiet_hours: bool = may_be_named(strict=True)

    def checked(self) -> dict[str, Any]:
        """The named fields; raises BadRequest for a sound or a level that there is not."""
        named = self.named()
        if "sound" in named and named["sound"] not in list(Sound):
            raise BadRequest("sound", f"there is no such sound; there are {', '.join(Sound)}")
        if "risk_filters" in named:
            if unknown := set(named["risk_filters"]) - set(Severity):
                raise BadRequest(
                    "risk_filters", f"{len(unknown)} of these are no level; there are {', '.join(_LEVELS)}"
                )
            named["risk_filters"] = tuple(level for level in _LEVELS if level in named["risk_filters"])
        return named


class CameraSettingChange(PartialChange):
    """What is left out stays as it is; in a camera's first setting it is `true` and 0."""

    enabled: bool = may_be_named(strict=True)
    risk_threshold: Whole = may_be_named(ge=0, le=100)
    """Events of this camera scoring below it are not told of."""


class QuietHoursRequest(Checked):
    label: Name
    start_time: Annotated[ClockTime, WithJsonSchema(_TIME_SCHEMA)]
    """HH:MM or HH:MM:SS by the house's clock."""
    end_time: Annotated[ClockTime, WithJsonSchema(_TIME_SCHEMA)]
    """Before the start: on the following day. 23:59 and 23:59:59 mean midnight."""
    days: tuple[Annotated[Day, WithJsonSchema(_DAY_SCHEMA)], ...] | None = Field(default=None, max_length=100)
    """The days on which the period starts; left out, null or empty: every day."""

    def checked(self) -> NewQuietHours:
        """Raises BadRequest where the period would be empty."""
        if self.start_time == self.end_time:
            raise BadRequest("end_time", "start_time and end_time are equal: the period would be empty")
        wanted = set(self.days or Weekday)
        return NewQuietHours(
            label=self.label,
            start_time=self.start_time,
            end_time=self.end_time,
            days=tuple(day for day in Weekday if day in wanted),
        )


class QuietPeriod(Frozen):
    id: int
    label: str
    start_time: str
    """HH:MM:SS by the house's clock."""
    end_time: str
    days: tuple[DayName, ...]
    """The days on which it starts, all seven where it is every day's."""


class QuietPeriods(Frozen):
    periods: tuple[QuietPeriod, ...]
    count: int


class CameraSettings(Frozen):
    settings: tuple[CameraNotificationSetting, ...]
    count: int


def quiet_period(stored: QuietHours) -> QuietPeriod:
    days = [day for day in Weekday if day in (stored.days or Weekday)]
    return QuietPeriod(
        id=stored.id,
        label=stored.label,
        start_time=_with_seconds(stored.start_time),
        end_time=_with_seconds(stored.end_time),
        days=tuple(_DAYS[day] for day in days),
    )


def quiet_periods(stored: Sequence[QuietHours]) -> QuietPeriods:
    return QuietPeriods(periods=tuple(map(quiet_period, stored)), count=len(stored))


def camera_settings(stored: Sequence[CameraNotificationSetting]) -> CameraSettings:
    return CameraSettings(settings=tuple(stored), count=len(stored))


def _with_seconds(clock_time: str) -> str:
    return clock_time if len(clock_time) == 8 else f"{clock_time}:00"
