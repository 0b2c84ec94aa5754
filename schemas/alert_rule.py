"""An alert rule: which events a person wants to hear of, when, and through which channels."""

import re
from enum import StrEnum
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from schemas.frozen import Frozen, Score, UtcTime, Whole
from schemas.severity import Severity


class Channel(StrEnum):
    EMAIL = "email"
    WEBHOOK = "webhook"
    PUSH = "push"


class Weekday(StrEnum):
    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"

    @property
    def number(self) -> int:
        """As `date.weekday()`: Monday is 0."""
        return list(Weekday).index(self)


_FULL_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _short_day(value: object) -> object:
    if isinstance(value, str):
        lowered = value.strip().lower()
        return lowered[:3] if lowered in _FULL_NAMES else lowered
    return value


def _clock_time(value: str) -> str:
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?", value):
        raise ValueError("write a time as HH:MM, from 00:00 to 23:59")
    return value[:5] if len(value) == 8 and value.endswith(":00") else value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"unknown time zone {value[:60]!r}; use an IANA name such as Europe/Berlin") from None
    return value


Day = Annotated[Weekday, BeforeValidator(_short_day)]
ClockTime = Annotated[str, AfterValidator(_clock_time)]
TimeZoneName = Annotated[str, Field(max_length=64), AfterValidator(_zone)]


class Schedule(Frozen):
    """When a rule is in force. Overnight hours belong to the day on which they start."""

    days: tuple[Day, ...] | None = None
    """Null or empty: every day."""
    start_time: ClockTime | None = None
    end_time: ClockTime | None = None
    timezone: TimeZoneName | None = None
    """Null: the house's zone."""

    @model_validator(mode="after")
    def _both_times_or_none(self) -> "Schedule":
        if (self.start_time is None) != (self.end_time is None):
            raise ValueError("give both start_time and end_time, or neither")
        return self


Fraction = Annotated[float, Field(strict=True, ge=0, le=1)]


# Such text stands in mail subjects and in PostgreSQL, which hold neither line breaks nor null characters.
_ONE_LINE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]+$"
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=_ONE_LINE)]


class Zone(Frozen):
    """A part of a camera's picture; a detection is inside when the middle of its lower edge is."""

    camera_id: Name
    polygon: tuple[tuple[Fraction, Fraction], ...] = Field(min_length=3, max_length=64)
    """Corners as fractions of the picture's width and height."""


_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
DEDUP_FIELDS = ("{camera_id}", "{rule_id}", "{object_type}", "{severity}")


def _dedup_template(value: str) -> str:
    unknown = [p for p in _PLACEHOLDER.findall(value) if p not in DEDUP_FIELDS]
    rest = _PLACEHOLDER.sub("", value)
    if unknown or not re.fullmatch(r"[A-Za-z0-9_:.-]*", rest):
        raise ValueError(f"use only {', '.join(DEDUP_FIELDS)} and letters, digits, '_', ':', '.', '-'")
    return value


_DEDUP_PATTERN = r"^([A-Za-z0-9_:.-]|\{(camera_id|rule_id|object_type|severity)\})+$"
DedupTemplate = Annotated[
    str,
    Field(min_length=1, max_length=200),
    AfterValidator(_dedup_template),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 200, "pattern": _DEDUP_PATTERN}),
]
MOST_COOLDOWN_SECONDS = 604_800

RuleName = Annotated[str, Field(min_length=1, max_length=200, pattern=_ONE_LINE)]
Names = Annotated[tuple[Name, ...], Field(max_length=100)]


class AlertRuleCreate(Frozen):
    """All conditions that are set must hold; a null or empty one is absent.

    One and the same detection must satisfy object type, confidence and zone together.
    """

    name: RuleName
    description: str | None = Field(default=None, max_length=2000, pattern=r"^[^\x00]*$")
    enabled: bool = Field(default=True, strict=True)
    severity: Severity = Severity.MEDIUM
    risk_threshold: Score | None = None
    object_types: Names | None = None
    """Detector classes, or the groups `vehicle` and `animal`."""
    camera_ids: Names | None = None
    min_confidence: float | None = Field(default=None, strict=True, ge=0, le=1)
    zones: tuple[Zone, ...] | None = Field(default=None, max_length=50)
    schedule: Schedule | None = None
    cooldown_seconds: Whole = Field(default=300, ge=0, le=MOST_COOLDOWN_SECONDS)
    """0 means no cooldown."""
    dedup_key_template: DedupTemplate = "{camera_id}:{rule_id}"
    channels: tuple[Channel, ...] = ()
    """Empty: the alert is shown, and sent nowhere."""


class AlertRule(AlertRuleCreate):
    id: UUID
    created_at: UtcTime
    updated_at: UtcTime
