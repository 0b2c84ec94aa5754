"""Notification preferences: what a person wants to be told of, and when not to be disturbed."""

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from schemas.alert_rule import ClockTime, Day, Name
from schemas.frozen import Frozen
from schemas.severity import Severity


class Sound(StrEnum):
    NONE = "none"
    DEFAULT = "default"
    ALERT = "alert"
    CHIME = "chime"
    URGENT = "urgent"


class NotificationPreferences(Frozen):
    id: int = 1
    enabled: bool = True
    sound: Sound = Sound.DEFAULT
    risk_filters: tuple[Severity, ...] = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM)
    """Levels of event that are told of."""
    critical_passes_quiet_hours: bool = True


class CameraNotificationSetting(Frozen):
    id: int
    camera_id: str
    enabled: bool = True
    risk_threshold: int = Field(default=0, ge=0, le=100)
    """Events of this camera scoring below it are not told of."""


class NewQuietHours(Frozen):
    """A period without notifications; it may cross midnight, and belongs to the day on which it starts."""

    label: Name
    start_time: ClockTime
    end_time: ClockTime
    days: tuple[Day, ...]
    """Empty: every day."""

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.start_time == self.end_time:
            raise ValueError("start_time and end_time are equal: the period would be empty")
        return self


class QuietHours(NewQuietHours):
    id: int


class NotificationPolicy(Frozen):
    """Everything that decides whether a delivery is suppressed, read in the event's transaction."""

    preferences: NotificationPreferences
    cameras: dict[str, CameraNotificationSetting]
    quiet_hours: tuple[QuietHours, ...]
    timezone: str
