"""What a request may say: identifiers, pages, filters. A parameter that is not known is refused, not ignored."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import Header, Path
from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from deployments.api.views.event_export import ExportFormat
from domain.pagination import MAX_CURSOR_CHARS, CursorKind, CursorValue, decode_cursor
from schemas.frozen import Frozen
from schemas.service import ServiceCategory
from schemas.severity import Severity
from storage.alerts import AlertFilter
from storage.audit import AuditFilter
from storage.detections import DetectionFilter
from storage.events import EventFilter
from storage.logs import LogFilter
from storage.media_list import MediaFilter

MOST_ROWS = 1000
LARGEST_ID = 2**53 - 1
"""The largest whole number that every JSON parser reads exactly; no row ever has a larger one."""

RowId = Annotated[int, Path(ge=1, le=LARGEST_ID, description="The number that the list gives as `id`.", examples=[42])]
UuidId = Annotated[UUID, Path(description="The UUID that the list gives as `id`.")]
CameraId = Annotated[
    str,
    Path(
        min_length=1,
        max_length=200,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="The camera's id, made of its folder's name.",
        examples=["front_door"],
    ),
]

ModelName = Annotated[
    str,
    Path(
        min_length=1,
        max_length=64,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="The model's name, as the list gives it.",
        examples=["yolo11-license-plate"],
    ),
]

IfNoneMatch = Annotated[str | None, Header(description="The `ETag` of the picture that is there already.")]


def _written_out(value: object) -> object:
    """Bare numbers, which pydantic would take for seconds since 1970, are no times of this API."""
    if isinstance(value, int | float) or (isinstance(value, str) and not _DATE.match(value)):
        raise ValueError("write a time as ISO 8601, as in 2025-12-23T10:30:00Z")
    return value


def _as_utc(moment: datetime) -> datetime:
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("this time is out of range") from None


_DATE = re.compile(r"\d{4}-\d\d-\d\d")
Moment = Annotated[datetime, BeforeValidator(_written_out), AfterValidator(_as_utc)]
"""ISO 8601; without an offset it is taken as UTC."""


class Checked(Frozen):
    """A request's part without null characters, which PostgreSQL cannot store."""

    @model_validator(mode="before")
    @classmethod
    def _no_null_character(cls, given: Any) -> Any:
        for place in _nulls(given, ()):
            raise ValueError(f"{'.'.join(place) or 'it'} holds a null character")
        return given


def _nulls(value: object, place: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if isinstance(value, str) and "\x00" in value:
        yield place
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _nulls(inner, (*place, str(key).replace("\x00", "")))
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for number, inner in enumerate(value):
            yield from _nulls(inner, (*place, str(number)))


class Paging(Checked):
    limit: int = Field(default=50, ge=1, le=MOST_ROWS)
    """How many at most."""
    offset: int = Field(default=0, ge=0, le=10_000_000)
    """How many to pass over; a deep page is quicker by `cursor`."""
    cursor: str | None = Field(default=None, min_length=1, max_length=MAX_CURSOR_CHARS)
    """`next_cursor` of the page before: this one goes on right after it, whatever was added meanwhile."""

    def place(self, *kinds: CursorKind) -> tuple[CursorValue, ...] | None:
        """The sort values that the cursor holds; raises BadCursor."""
        return None if self.cursor is None else decode_cursor(self.cursor, kinds)


class Period(Checked):
    start_date: Moment | None = None
    """From this time on, itself included; ISO 8601, taken as UTC without an offset."""
    end_date: Moment | None = None
    """Up to this time, itself included; ISO 8601, taken as UTC without an offset."""

    @field_validator("end_date")
    @classmethod
    def _not_before_start(cls, end: datetime | None, info: ValidationInfo) -> datetime | None:
        start = info.data.get("start_date")
        if end is not None and start is not None and end < start:
            raise ValueError("end_date lies before start_date")
        return end


class Span(Period, Paging):
    def row_place(self) -> tuple[datetime, int] | None:
        return cast(tuple[datetime, int] | None, self.place(datetime, int))

    def uuid_place(self) -> tuple[datetime, UUID] | None:
        return cast(tuple[datetime, UUID] | None, self.place(datetime, UUID))


class ServiceQuery(Checked):
    category: ServiceCategory | None = None


class CameraQuery(Paging):
    def id_place(self) -> str | None:
        place = cast(tuple[str] | None, self.place(str))
        return None if place is None else place[0]


class EventQuery(Span, EventFilter):
    pass


class EventExportQuery(Period, EventFilter):
    format: ExportFormat = ExportFormat.CSV


class EventStatsQuery(Period):
    camera_id: str | None = Field(default=None, max_length=200)


class CleanupQuery(Checked):
    dry_run: bool = False
    """Only count what would be deleted."""


class OrphanQuery(Checked):
    dry_run: bool = True
    """Only list them; false deletes them."""


class DetectionQuery(Span, DetectionFilter):
    pass


class EventDetectionQuery(Span):
    pass


class LogQuery(Span, LogFilter):
    limit: int = Field(default=100, ge=1, le=MOST_ROWS)
    """How many at most."""


class MediaQuery(Span, MediaFilter):
    def id_place(self) -> int | None:
        place = cast(tuple[int] | None, self.place(int))
        return None if place is None else place[0]


class AlertQuery(Span, AlertFilter):
    pass


class AuditQuery(Span, AuditFilter):
    pass


class RuleQuery(Paging):
    enabled: bool | None = None
    severity: Severity | None = None

    def uuid_place(self) -> tuple[datetime, UUID] | None:
        return cast(tuple[datetime, UUID] | None, self.place(datetime, UUID))
