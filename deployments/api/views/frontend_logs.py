"""What pages send to the log: checked, bounded, kept as data, with the time and the request that brought it."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator

from deployments.api.parameters import Checked, Moment
from domain.clock import Clock
from domain.log_text import MESSAGE_CHARS, MOST_DEPTH, bounded, visible
from domain.redaction import Redactor
from schemas.frozen import Frozen, utc_text
from schemas.log import LogLevel, LogSource, NewLog
from schemas.problem import FieldError
from storage.log_context import request_id
from storage.logs import Logs

MOST_ENTRIES = 100
CONTEXT_BYTES = 16_000
BELIEVED_BACK = timedelta(hours=24)
BELIEVED_AHEAD = timedelta(minutes=5)
DEFAULT_COMPONENT = "frontend"


def _within_bounds(context: dict[str, Any]) -> dict[str, Any]:
    if _depth(context) > MOST_DEPTH:
        raise ValueError(f"it is nested deeper than {MOST_DEPTH} levels; flatten it")
    if len(json.dumps(context, ensure_ascii=False).encode("utf-8", "replace")) > CONTEXT_BYTES:
        raise ValueError(f"it has more than {CONTEXT_BYTES} bytes as JSON; send less")
    return context


def _depth(value: object) -> int:
    """Levels of objects and lists; counted without recursion, since the value is a stranger's."""
    level, deepest = [value], 0
    while level and deepest <= MOST_DEPTH:
        inner = [value for value in level if isinstance(value, dict | list)]
        deepest += bool(inner)
        level = [one for value in inner for one in (value.values() if isinstance(value, dict) else value)]
        if not inner:
            break
    return deepest


class FrontendLog(Checked):
    """A line of a page's log."""

    level: LogLevel
    """DEBUG, INFO, WARNING, ERROR or CRITICAL, in any case."""
    message: str = Field(min_length=1, max_length=MESSAGE_CHARS)
    timestamp: Moment | None = None
    """ISO 8601; the server's time when left out, and when more than a day ago or 5 minutes ahead (then the one given
    is kept in `extra`)."""
    component: str | None = Field(default=None, min_length=1, max_length=100)
    """The part of the page; `frontend` when left out."""
    context: Annotated[dict[str, Any], AfterValidator(_within_bounds)] | None = None
    """Whatever helps; at most five levels and 16,000 bytes."""
    url: str | None = Field(default=None, max_length=2048)
    user_agent: str | None = Field(default=None, max_length=512)

    @field_validator("level", mode="before")
    @classmethod
    def _any_case(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value


class FrontendLogBatch(Checked):
    entries: tuple[FrontendLog, ...] = Field(min_length=1, max_length=MOST_ENTRIES)


class LogsTaken(Frozen):
    success: Literal[True] = True
    count: int = Field(ge=1, le=MOST_ENTRIES)
    message: str


class LogsRefused(Frozen):
    """Nothing of the batch was stored."""

    success: Literal[False] = False
    count: Literal[0] = 0
    message: str
    errors: tuple[str, ...]
    """`field: what is wrong`, an entry's number in its field."""


class FrontendLogs:
    def __init__(self, logs: Logs, clock: Clock, redactor: Redactor) -> None:
        self._logs = logs
        self._clock = clock
        self._redactor = redactor

    async def take(self, entries: Sequence[FrontendLog]) -> LogsTaken:
        """All of them or none."""
        await self._logs.add([self._line(entry) for entry in entries])
        return LogsTaken(count=len(entries), message=f"{len(entries)} log {_entries(len(entries))} stored")

    def _line(self, entry: FrontendLog) -> NewLog:
        now = self._clock.now()
        claimed = entry.timestamp
        believed = claimed is not None and now - BELIEVED_BACK <= claimed <= now + BELIEVED_AHEAD
        extra: dict[str, Any] = {
            "context": entry.context,
            "url": entry.url,
            "user_agent": entry.user_agent,
            "claimed_timestamp": utc_text(claimed) if claimed is not None and not believed else None,
        }
        said = {name: value for name, value in extra.items() if value is not None}
        return NewLog(
            timestamp=claimed if claimed is not None and believed else now,
            level=entry.level,
            component=visible(entry.component or DEFAULT_COMPONENT, 100),
            message=visible(self._redactor.text(entry.message), MESSAGE_CHARS),
            request_id=request_id.get(),
            extra=self._redactor.value(bounded(said, 2 * CONTEXT_BYTES)),
            source=LogSource.FRONTEND,
        )


def _entries(count: int) -> str:
    return "entry" if count == 1 else "entries"


def refused(faults: Sequence[FieldError]) -> dict[str, Any]:
    """The answer to a batch that cannot be taken."""
    errors = tuple(f"{fault.field}: {fault.message}" for fault in faults)
    of_length = any(fault.field == "entries" for fault in faults)
    message = "Batch must contain 1-100 entries" if of_length else "Nothing was stored: some entries cannot be used"
    return LogsRefused(message=message, errors=errors).model_dump()
