"""What is counted of every request, and which requests get a line in the log."""

from prometheus_client import Counter, Histogram
from starlette.types import Scope

from actors.metrics import HTTP_REQUESTS, HTTP_SECONDS, LOG_LINES

UNMATCHED = "unmatched"
LINES_A_SECOND = 20
"""A replica's. More requests than that are counted, not told one by one; failures of ours are always told."""
SLOW_SECONDS = 1.0
PROBES = frozenset(("/health", "/ready", "/api/system/health/live", "/api/system/health/ready"))
"""Asked every few seconds by machines, whose lines would be most of the log: told when the answer's status changes."""

_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


class RequestFigures:
    """One replica's; every label comes from a fixed set, whatever is asked for."""

    def __init__(self) -> None:
        self._second = -1
        self._lines = 0
        self._probed: dict[str, int | None] = {}
        self._series: dict[tuple[str, str, str], tuple[Counter, Histogram]] = {}

    def count(self, scope: Scope, status: int | None, seconds: float) -> None:
        """`status` is None for a request whose client went away before the answer began."""
        endpoint = endpoint_of(scope)
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        labels = (method, endpoint, "aborted" if status is None else str(status))
        series = self._series.get(labels)
        if series is None:
            series = HTTP_REQUESTS.labels(*labels), HTTP_SECONDS.labels(method, endpoint)
            self._series[labels] = series
        requests, time = series
        requests.inc()
        time.observe(seconds)

    def worth_a_line(self, scope: Scope, status: int | None, seconds: float, now: float) -> bool:
        """`now` is any clock's, in seconds."""
        endpoint = endpoint_of(scope)
        if endpoint in PROBES and seconds < SLOW_SECONDS:
            before, self._probed[endpoint] = self._probed.get(endpoint, 200), status
            return status != before
        if status is not None and status >= 500:
            return True
        if int(now) != self._second:
            self._second, self._lines = int(now), 0
        self._lines += 1
        if self._lines > LINES_A_SECOND:
            LOG_LINES.labels("spared").inc()
            return False
        return True


def endpoint_of(scope: Scope) -> str:
    """The template of the route that was reached, never the address itself."""
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else UNMATCHED
