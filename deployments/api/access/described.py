"""What the door adds to the API's description: how to show a key, and how each route may be refused before it runs."""

from typing import Any

from deployments.api.access.credentials import COOKIE
from deployments.api.access.table import ROUTES, Access
from deployments.api.responses import problems

_SCHEMES = {
    "ApiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "Asked for where API_KEY_ENABLED says so, and always beyond loopback.",
    },
    "Session": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "Got by POST /api/session; with it, changes need our page's `Origin` or `Sec-Fetch-Site`.",
    },
}
_LIMIT_HEADERS = {
    "Retry-After": "Seconds until the next request is allowed.",
    "X-RateLimit-Limit": "Requests that a full bucket holds, which is a minute's worth.",
    "X-RateLimit-Remaining": "Requests that may still come at once.",
    "X-RateLimit-Reset": "Seconds until the bucket is full again.",
}

_REFUSED = {Access.READ: (401, 421, 429, 503), Access.HEALTH: (401, 421, 503)}


def describe_access(document: dict[str, Any]) -> None:
    """Adds security schemes and the door's refusals to every route that is not open."""
    document["components"]["securitySchemes"] = _SCHEMES
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            kind = ROUTES.get((method.upper(), path), Access.READ)
            if kind is Access.OPEN:
                continue
            if kind is not Access.SIGN_IN:
                operation["security"] = [{"ApiKey": []}, {"Session": []}]
            statuses = _REFUSED.get(kind, (401, 403, 421, 429, 503))
            refusals: dict[int | str, dict[str, Any]] = problems(*statuses)
            if 429 in refusals:
                refusals[429]["headers"] = {name: _header(what) for name, what in _LIMIT_HEADERS.items()}
            known = operation["responses"]
            for status, refusal in refusals.items():
                known.setdefault(str(status), refusal)
            operation["responses"] = dict(sorted(known.items()))


def _header(what: str) -> dict[str, Any]:
    return {"description": what, "schema": {"type": "integer", "minimum": 0}}
