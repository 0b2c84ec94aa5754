"""Lists as they are answered: the rows under their plural, and where the next page starts."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pydantic import Field

from deployments.api.parameters import MOST_ROWS, Paging
from domain.pagination import CursorValue, encode_cursor
from schemas.alert import Alert
from schemas.alert_rule import AlertRule
from schemas.audit import AuditEntry
from schemas.camera import Camera
from schemas.delivery import Delivery
from schemas.detection import Detection
from schemas.event import Event
from schemas.frozen import Frozen
from schemas.log import Log
from schemas.media import Media

T = TypeVar("T")


class Page(Frozen):
    count: int = Field(ge=0)
    """How many are in this page."""
    limit: int
    offset: int
    next_cursor: str | None
    """Give it as `cursor` for the next page; null on the last one."""


class CameraPage(Page):
    cameras: tuple[Camera, ...]


class EventPage(Page):
    events: tuple[Event, ...]


class DetectionPage(Page):
    detections: tuple[Detection, ...]


class LogPage(Page):
    logs: tuple[Log, ...]


class MediaPage(Page):
    media: tuple[Media, ...]


class AlertPage(Page):
    alerts: tuple[Alert, ...]


class AuditPage(Page):
    logs: tuple[AuditEntry, ...]


class RulePage(Page):
    rules: tuple[AlertRule, ...]


class DeliveryPage(Page):
    deliveries: tuple[Delivery, ...]


def camera_page(rows: Sequence[Camera], query: Paging) -> CameraPage:
    return CameraPage(cameras=tuple(rows[: query.limit]), **_frame(rows, query, lambda c: [c.id]))


def event_page(rows: Sequence[Event], query: Paging) -> EventPage:
    return EventPage(events=tuple(rows[: query.limit]), **_frame(rows, query, lambda e: [e.started_at, e.id]))


def detection_page(rows: Sequence[Detection], query: Paging) -> DetectionPage:
    kept = tuple(rows[: query.limit])
    return DetectionPage(detections=kept, **_frame(rows, query, lambda d: [d.detected_at, d.id]))


def log_page(rows: Sequence[Log], query: Paging) -> LogPage:
    return LogPage(logs=tuple(rows[: query.limit]), **_frame(rows, query, lambda line: [line.timestamp, line.id]))


def media_page(rows: Sequence[Media], query: Paging) -> MediaPage:
    return MediaPage(media=tuple(rows[: query.limit]), **_frame(rows, query, lambda m: [m.id]))


def alert_page(rows: Sequence[Alert], query: Paging) -> AlertPage:
    return AlertPage(alerts=tuple(rows[: query.limit]), **_frame(rows, query, lambda a: [a.created_at, a.id]))


def audit_page(rows: Sequence[AuditEntry], query: Paging) -> AuditPage:
    return AuditPage(logs=tuple(rows[: query.limit]), **_frame(rows, query, lambda e: [e.timestamp, e.id]))


def rule_page(rows: Sequence[AlertRule], query: Paging) -> RulePage:
    return RulePage(rules=tuple(rows[: query.limit]), **_frame(rows, query, lambda r: [r.created_at, r.id]))


def delivery_page(rows: Sequence[Delivery]) -> DeliveryPage:
    """All of an alert's deliveries: they are few."""
    return DeliveryPage(deliveries=tuple(rows), count=len(rows), limit=MOST_ROWS, offset=0, next_cursor=None)


def _frame(rows: Sequence[T], query: Paging, key: Callable[[T], Sequence[CursorValue]]) -> dict[str, Any]:
    """`rows` were asked for with one more than the page holds: that one says whether there is a next page."""
    kept = rows[: query.limit]
    return {
        "count": len(kept),
        "limit": query.limit,
        "offset": query.offset,
        "next_cursor": encode_cursor(key(kept[-1])) if len(rows) > query.limit else None,
    }
