"""What a channel is given: one alert with everything that its text, its picture and its receiver need."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from schemas.alert import AlertStatus
from schemas.frozen import Frozen, UtcTime
from schemas.severity import Severity

HeaderSafe = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,200}$")]
"""Visible ASCII: it is sent as it stands in a header of the mail and of the request."""


class AlertMessage(Frozen):
    """One alert for one recipient; names, summary and reasoning are outside text and are never trusted."""

    idempotency_key: HeaderSafe
    """The same in every try, so that the receiver can tell a repeat from a second alert."""

    is_test: bool = False
    """Nothing has happened: somebody tries the channel. A receiver of webhooks is told so in the document's type."""

    alert_id: UUID
    severity: Severity
    status: AlertStatus = AlertStatus.PENDING
    created_at: UtcTime

    event_id: int
    started_at: UtcTime
    risk_score: int
    risk_level: Severity
    summary: str
    reasoning: str
    object_types: tuple[str, ...]
    assessment: Literal["final", "provisional"]
    assessed_by: str

    camera_id: str
    camera_name: str

    rule_id: UUID | None
    """Null once the rule has been deleted."""
    rule_name: str
    matched_conditions: dict[str, Any]

    timezone: str = "UTC"
    """IANA name; texts give the local time in it beside UTC."""
    console_url: Annotated[str, StringConstraints(pattern=r"^https?://[!-~]+$")] | None = None
    picture: bytes | None = Field(default=None, repr=False)
    """JPEG with the boxes drawn."""
