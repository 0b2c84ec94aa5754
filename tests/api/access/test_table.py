"""The table of routes: complete, without ghosts, and not to be got around."""

from collections.abc import Iterator, Sequence

import pytest
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.routing import BaseRoute, Route

from deployments.api.access.table import ROUTES, Access, access
from deployments.api.app import create_app
from deployments.api.deps import Services

PROBES = {"/health", "/ready", "/api/system/health/live", "/api/system/health/ready"}


def _flat(routes: Sequence[BaseRoute]) -> Iterator[BaseRoute]:
    """FastAPI keeps an included router as one entry."""
    for route in routes:
        inside = getattr(route, "routes", None) or getattr(getattr(route, "original_router", None), "routes", None)
        yield from _flat(inside) if inside is not None else [route]


def _served(services: Services) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for route in _flat(create_app(services).routes):
        if isinstance(route, APIWebSocketRoute):
            found.add(("WEBSOCKET", route.path))
        else:
            assert isinstance(route, APIRoute | Route), f"{route!r} is of a kind that the door does not know"
            found.update((method, route.path) for method in (route.methods or set()) - {"HEAD"})
    return found


async def test_every_route_is_classified(services: Services) -> None:
    assert sorted(_served(services) - set(ROUTES)) == []


async def test_every_entry_is_a_route(services: Services) -> None:
    assert sorted(set(ROUTES) - _served(services)) == []


def test_the_probes_are_the_only_open_routes() -> None:
    assert {path for (_, path), kind in ROUTES.items() if kind is Access.OPEN} == PROBES


def test_only_signing_in_needs_no_key_beside_them() -> None:
    assert [key for key, kind in ROUTES.items() if kind is Access.SIGN_IN] == [("POST", "/api/session")]


def test_every_route_that_changes_something_is_a_change() -> None:
    looks = {("POST", "/api/alerts/rules/{rule_id}/test")}
    read = {key for key, kind in ROUTES.items() if kind is Access.READ and key[0] not in ("GET", "WEBSOCKET")}
    assert read == looks


@pytest.mark.parametrize(
    ("method", "path", "found"),
    [
        ("GET", "/health", Access.OPEN),
        ("HEAD", "/health", Access.OPEN),
        ("POST", "/health", Access.CHANGE),
        ("GET", "/api/events/42", Access.READ),
        ("PATCH", "/api/events/42", Access.CHANGE),
        ("POST", "/api/system/services/redis/restart", Access.CHANGE),
        ("POST", "/api/alerts/rules/abc/test", Access.READ),
        ("POST", "/api/logs/frontend", Access.LOGS),
        ("WEBSOCKET", "/ws/events", Access.READ),
        ("WEBSOCKET", "/health", Access.READ),
        ("GET", "/nothing", Access.READ),
        ("DELETE", "/nothing", Access.CHANGE),
    ],
)
def test_a_request_has_its_routes_class(method: str, path: str, found: Access) -> None:
    assert access(method, path) is found


@pytest.mark.parametrize(
    "path",
    [
        "//health",
        "/health/",
        "/Health",
        "/HEALTH",
        "/./health",
        "/x/../health",
        "/health\n",
        "/health ",
        "/health;x",
        "/health\x00",
        "/api/system/health/live/",
        "/api/system//health/live",
        "/api/system/health/../health/live",
        "",
        "health",
    ],
)
def test_no_other_way_of_writing_a_probe_is_open(path: str) -> None:
    assert access("GET", path) is Access.READ
