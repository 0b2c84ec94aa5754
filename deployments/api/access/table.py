"""Every route and who may call it: the only place that decides, and a test fails for a route that is not in it.

open      no key is ever asked for, and nothing is counted: the probes
read      a key, when keys are on: looks, changes nothing
health    a key, when keys are on, and nothing is counted: what tells of a Redis that hangs must not wait for it
change    a key, when keys are on: changes something, so no page from elsewhere may ask it, and its limit is stricter
logs      as change, with a limit of its own: a page that stumbles must not use up what its owner may change
sign_in   no key, since this is where a page shows one; a very strict limit, against guessing
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache


class Access(StrEnum):
    OPEN = "open"
    READ = "read"
    HEALTH = "health"
    CHANGE = "change"
    LOGS = "logs"
    SIGN_IN = "sign_in"


_O, _R, _H, _C = Access.OPEN, Access.READ, Access.HEALTH, Access.CHANGE
_L, _S = Access.LOGS, Access.SIGN_IN

ROUTES: dict[tuple[str, str], Access] = {
    ("GET", "/health"): _O,
    ("GET", "/ready"): _O,
    ("GET", "/api/system/health/live"): _O,
    ("GET", "/api/system/health/ready"): _O,
    ("POST", "/api/session"): _S,
    ("GET", "/api/session"): _R,
    ("DELETE", "/api/session"): _C,
    ("GET", "/api/system/health"): _H,
    ("GET", "/api/system/health/full"): _H,
    ("GET", "/api/system/health/websocket"): _H,
    ("GET", "/api/system/gpu"): _R,
    ("GET", "/api/system/gpu/history"): _R,
    ("GET", "/api/system/config"): _R,
    ("PATCH", "/api/system/config"): _C,
    ("GET", "/api/system/stats"): _R,
    ("GET", "/api/system/storage"): _R,
    ("GET", "/api/system/telemetry"): _R,
    ("GET", "/api/system/pipeline"): _R,
    ("GET", "/api/system/performance"): _R,
    ("GET", "/api/system/performance/history"): _R,
    ("GET", "/api/system/pipeline-latency"): _R,
    ("GET", "/api/system/pipeline-latency/history"): _R,
    ("GET", "/api/system/cleanup/status"): _R,
    ("POST", "/api/system/cleanup"): _C,
    ("POST", "/api/system/cleanup/orphaned-files"): _C,
    ("GET", "/api/system/severity"): _R,
    ("PUT", "/api/system/severity"): _C,
    ("GET", "/api/system/services"): _R,
    ("POST", "/api/system/services/{name}/restart"): _C,
    ("POST", "/api/system/services/{name}/start"): _C,
    ("POST", "/api/system/services/{name}/enable"): _C,
    ("POST", "/api/system/services/{name}/disable"): _C,
    ("GET", "/api/system/models"): _R,
    ("GET", "/api/system/models/{model_name}"): _R,
    ("GET", "/api/system/model-zoo/status"): _R,
    ("GET", "/api/system/model-zoo/latency/history"): _R,
    ("GET", "/api/system/anomaly-config"): _R,
    ("PATCH", "/api/system/anomaly-config"): _C,
    ("GET", "/api/system/circuit-breakers"): _R,
    ("POST", "/api/system/circuit-breakers/{name}/reset"): _C,
    ("GET", "/api/system/websocket/events"): _R,
    ("GET", "/api/metrics"): _R,
    ("GET", "/api/logs"): _R,
    ("GET", "/api/logs/stats"): _R,
    ("GET", "/api/logs/{log_id}"): _R,
    ("POST", "/api/logs/frontend"): _L,
    ("POST", "/api/logs/frontend/batch"): _L,
    ("GET", "/api/notification-preferences"): _R,
    ("PUT", "/api/notification-preferences"): _C,
    ("GET", "/api/notification-preferences/cameras"): _R,
    ("GET", "/api/notification-preferences/cameras/{camera_id}"): _R,
    ("PUT", "/api/notification-preferences/cameras/{camera_id}"): _C,
    ("GET", "/api/notification-preferences/quiet-hours"): _R,
    ("POST", "/api/notification-preferences/quiet-hours"): _C,
    ("DELETE", "/api/notification-preferences/quiet-hours/{period_id}"): _C,
    ("GET", "/api/notification/config"): _R,
    ("POST", "/api/notification/test"): _C,
    ("GET", "/api/audit"): _R,
    ("GET", "/api/audit/{entry_id}"): _R,
    ("GET", "/api/dlq/stats"): _R,
    ("GET", "/api/dlq/jobs/{queue}"): _R,
    ("POST", "/api/dlq/requeue/{queue}"): _C,
    ("POST", "/api/dlq/requeue-all/{queue}"): _C,
    ("DELETE", "/api/dlq/{queue}"): _C,
    ("GET", "/api/cameras"): _R,
    ("POST", "/api/cameras"): _C,
    ("GET", "/api/cameras/{camera_id}"): _R,
    ("PATCH", "/api/cameras/{camera_id}"): _C,
    ("DELETE", "/api/cameras/{camera_id}"): _C,
    ("GET", "/api/cameras/{camera_id}/snapshot"): _R,
    ("GET", "/api/events"): _R,
    ("GET", "/api/events/stats"): _R,
    ("GET", "/api/events/export"): _R,
    ("GET", "/api/events/{event_id}"): _R,
    ("PATCH", "/api/events/{event_id}"): _C,
    ("GET", "/api/events/{event_id}/why"): _R,
    ("GET", "/api/events/{event_id}/detections"): _R,
    ("GET", "/api/detections"): _R,
    ("GET", "/api/detections/{detection_id}"): _R,
    ("GET", "/api/detections/{detection_id}/image"): _R,
    ("GET", "/api/detections/{detection_id}/thumbnail"): _R,
    ("GET", "/api/media"): _R,
    ("GET", "/api/media/{media_id}"): _R,
    ("GET", "/api/alerts"): _R,
    ("GET", "/api/alerts/{alert_id}"): _R,
    ("GET", "/api/alerts/{alert_id}/deliveries"): _R,
    ("POST", "/api/alerts/{alert_id}/acknowledge"): _C,
    ("POST", "/api/alerts/{alert_id}/dismiss"): _C,
    ("GET", "/api/alerts/rules"): _R,
    ("POST", "/api/alerts/rules"): _C,
    ("GET", "/api/alerts/rules/{rule_id}"): _R,
    ("PUT", "/api/alerts/rules/{rule_id}"): _C,
    ("DELETE", "/api/alerts/rules/{rule_id}"): _C,
    ("POST", "/api/alerts/rules/{rule_id}/test"): _R,
    ("WEBSOCKET", "/ws/events"): _R,
    ("WEBSOCKET", "/ws/system"): _R,
    ("GET", "/docs"): _R,
    ("GET", "/docs/start.js"): _R,
    ("GET", "/docs/swagger-ui-bundle.js"): _R,
    ("GET", "/docs/swagger-ui.css"): _R,
    ("GET", "/openapi.json"): _R,
}


def access(method: str, path: str) -> Access:
    """The class of a request, `WEBSOCKET` being a method.

    What is not in the table needs a key too: strangers learn nothing from a 404, and should the router find a route
    where this did not, it is no open one. `path` is taken as the router takes it: decoded, letter by letter, with
    slashes and dots as they are.
    """
    method = "GET" if method == "HEAD" else method
    exact = ROUTES.get((method, path))
    if exact is not None:
        return exact
    parts = path.split("/")
    if len(parts) > _TELLING:
        for fixed, found in _patterns().get((method, len(parts), parts[_TELLING]), ()):
            if all(parts[place] == part for place, part in fixed):
                return found
    return Access.READ if method in ("GET", "OPTIONS", "WEBSOCKET") else Access.CHANGE


def methods_of(path: str) -> frozenset[str] | None:
    """What a path without parameters takes; None for any other, whose methods the router knows.

    The router would give `PATCH /api/events/stats` to the route of one event, whose number is not `stats`.
    """
    return _literal().get(path)


@cache
def _literal() -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for method, path in ROUTES:
        if "{" not in path and method != "WEBSOCKET":
            found.setdefault(path, set()).update({method, "HEAD"} if method == "GET" else {method})
    return {path: frozenset(methods) for path, methods in found.items()}


_TELLING = 2
"""The part of a path that tells most routes apart: /api/<this>/…; never a parameter."""


@cache
def _patterns() -> Mapping[tuple[str, int, str], list[tuple[list[tuple[int, str]], Access]]]:
    """The paths with parameters, by method, number of parts and telling part: which parts stand where."""
    found: dict[tuple[str, int, str], list[tuple[list[tuple[int, str]], Access]]] = {}
    for (method, path), kind in ROUTES.items():
        if "{" in path:
            parts = path.split("/")
            fixed = [(place, part) for place, part in enumerate(parts) if not part.startswith("{")]
            found.setdefault((method, len(parts), parts[_TELLING]), []).append((fixed, kind))
    return found
