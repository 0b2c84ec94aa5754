"""The way of a log record into the table: kept in memory at once, written by another thread; it fails and holds nobody.

logger ─▶ RowHandler ─▶ bounded queue ─▶ Reporter (a thread of its own) ─▶ PostgreSQL
"""

import logging
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from domain.log_text import MESSAGE_CHARS, bounded, visible
from domain.redaction import Redactor
from schemas.log import LogLevel, NewLog
from storage.log_context import camera_id, request_id

OUR_PACKAGES = frozenset(
    (
        "actors",
        "deployments",
        "domain",
        "language",
        "launch",
        "notify",
        "schemas",
        "storage",
        "vision",
        "serve_app",
        "settings",
    )
)
MOST_LINES = 5000
MOST_CHARS = 8_000_000
_TAKEN_CHARS = 4 * MESSAGE_CHARS
"""Cut to this at once, and to its end only after secrets were taken out: half a secret could not be found."""
_EXCEPTION_CHARS = 8000
_NAME_CHARS = 200
_STANDARD = frozenset(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {"message", "asctime", "taskName"}
_OWN = frozenset(("camera_id", "request_id", "duration_ms"))
_traces = logging.Formatter()


@dataclass(frozen=True)
class Said:
    """A record as its thread left it: formatted, and holding on to nothing of the caller's."""

    created: float
    level: int
    logger: str
    message: str
    exception: str | None
    camera_id: str | None
    request_id: str | None
    duration_ms: float | None
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def chars(self) -> int:
        return len(self.message) + len(self.exception or "") + 200 * (1 + len(self.extra))


class RowHandler(logging.Handler):
    """Keeps what was said until it is taken; drops the oldest, and counts, when too much gathers."""

    def __init__(self, most_lines: int = MOST_LINES, most_chars: int = MOST_CHARS) -> None:
        super().__init__()
        self._lines: deque[Said] = deque()
        self._chars = 0
        self._most_lines = most_lines
        self._most_chars = most_chars
        self.dropped = 0
        """Since the process began."""
        self.deaf_to: int | None = None
        """The thread that writes: what it says itself would come round for ever."""
        self.on_line: Callable[[int], None] | None = None
        """Told how many lines wait; must return at once."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Of others' packages only what is at least a warning; nothing of the writing thread."""
        if record.thread is not None and record.thread == self.deaf_to:
            return False
        if record.levelno < logging.WARNING and record.name.partition(".")[0] not in OUR_PACKAGES:
            return False
        return super().filter(record)

    def emit(self, record: logging.LogRecord) -> None:
        """Called under the handler's lock, which may be entered again by a record said meanwhile in this thread."""
        try:
            self._keep(said(record))
            if self.on_line is not None:
                self.on_line(len(self._lines))
        except Exception:  # a line that cannot be kept must not harm who said it
            self.dropped += 1

    def _keep(self, line: Said) -> None:
        self._lines.append(line)
        self._chars += line.chars
        self._shed()

    def _shed(self) -> None:
        while len(self._lines) > self._most_lines or (self._chars > self._most_chars and len(self._lines) > 1):
            self._chars -= self._lines.popleft().chars
            self.dropped += 1

    def take(self, most: int) -> list[Said]:
        """The oldest lines, at most so many."""
        self.acquire()
        try:
            lines = [self._lines.popleft() for _ in range(min(most, len(self._lines)))]
            self._chars -= sum(line.chars for line in lines)
            return lines
        finally:
            self.release()

    def put_back(self, lines: list[Said]) -> None:
        """What could not be written, in front again; what there is no room for any more is dropped."""
        self.acquire()
        try:
            self._lines.extendleft(reversed(lines))
            self._chars += sum(line.chars for line in lines)
            self._shed()
        finally:
            self.release()

    def __len__(self) -> int:
        return len(self._lines)

    def __bool__(self) -> bool:
        return True


def said(record: logging.LogRecord) -> Said:
    """What a record says, in the thread and task that says it."""
    values = record.__dict__
    extra = {
        name: value
        for name, value in values.items()
        if name not in _STANDARD and name not in _OWN and not name.startswith("_")
    }
    duration = values.get("duration_ms")
    return Said(
        created=record.created,
        level=record.levelno,
        logger=record.name,
        message=_message(record)[:_TAKEN_CHARS],
        exception=_exception(record),
        camera_id=_name(camera_id.get() or values.get("camera_id")),
        request_id=_name(request_id.get() or values.get("request_id")),
        duration_ms=float(duration) if isinstance(duration, int | float) and math.isfinite(duration) else None,
        extra=bounded(extra) if extra else {},
    )


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception as error:  # arguments that do not fit: the words are worth keeping
        return f"{record.msg} [arguments cannot be formatted: {type(error).__name__}]"


def _exception(record: logging.LogRecord) -> str | None:
    if record.exc_text is None and record.exc_info and record.exc_info[0] is not None:
        return _traces.formatException(record.exc_info)[-_TAKEN_CHARS:]
    return record.exc_text[-_TAKEN_CHARS:] if record.exc_text else None


def _name(value: object) -> str | None:
    return value if isinstance(value, str) and value != "-" else None


def line_of(said: Said, component: str, redactor: Redactor) -> NewLog:
    """As it is stored: without secrets, bounded, controls made visible."""
    extra = {"logger": said.logger, **redactor.value(said.extra)}
    if said.exception is not None:
        # The end of a trace says what it was.
        trace = redactor.text(said.exception)
        cut = trace if len(trace) <= _EXCEPTION_CHARS else "…" + trace[1 - _EXCEPTION_CHARS :]
        extra["exception"] = visible(cut, _EXCEPTION_CHARS, keep_lines=True)
    return NewLog(
        timestamp=datetime.fromtimestamp(said.created, UTC),
        level=level_of(said.level),
        component=component,
        message=visible(redactor.text(said.message), MESSAGE_CHARS),
        camera_id=said.camera_id and visible(said.camera_id, _NAME_CHARS),
        request_id=said.request_id and visible(said.request_id, _NAME_CHARS),
        duration_ms=said.duration_ms,
        extra=extra,
    )


def level_of(number: int) -> LogLevel:
    """The nearest named level at or below."""
    for bound, level in (
        (logging.CRITICAL, LogLevel.CRITICAL),
        (logging.ERROR, LogLevel.ERROR),
        (logging.WARNING, LogLevel.WARNING),
        (logging.INFO, LogLevel.INFO),
    ):
        if number >= bound:
            return level
    return LogLevel.DEBUG
