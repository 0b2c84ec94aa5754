"""A line of the log: what a process or a page said, when, and about what."""

from enum import StrEnum
from typing import Any

from pydantic import Field

from schemas.frozen import Frozen, UtcTime


class LogLevel(StrEnum):
    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


class LogSource(StrEnum):
    BACKEND = "backend"
    FRONTEND = "frontend"


class NewLog(Frozen):
    timestamp: UtcTime
    level: LogLevel
    component: str
    message: str
    camera_id: str | None = None
    request_id: str | None = None
    duration_ms: float | None = None
    extra: dict[str, Any] = Field(default_factory=dict)
    source: LogSource = LogSource.BACKEND


class Log(Frozen):
    id: int
    timestamp: UtcTime
    level: LogLevel
    component: str
    """The actor or deployment; of a page, the part of it."""
    message: str
    """Control characters are escaped; secrets of the settings are replaced by `***`."""
    camera_id: str | None
    request_id: str | None
    """Of the request that was being answered, or that brought a page's line."""
    duration_ms: float | None
    extra: dict[str, Any]
    """What else was said: `logger`, `exception`, of a page `context`, `url` and `user_agent`."""
    source: LogSource


class LogStats(Frozen):
    """Today's lines, in the house's time zone."""

    total_today: int = Field(ge=0)
    errors_today: int = Field(ge=0)
    """ERROR and CRITICAL."""
    warnings_today: int = Field(ge=0)
    by_component: dict[str, int]
    """The hundred that said most."""
    by_level: dict[str, int]
    """Levels of which there was a line."""
    top_component: str | None
    """Null while nothing was said today."""
