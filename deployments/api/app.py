"""The API as a function of its services; Serve wraps it, tests call it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema
from starlette.middleware import Middleware

from actors.process import flush_process
from deployments.api.access.described import describe_access
from deployments.api.access.door import Door
from deployments.api.deps import Services
from deployments.api.errors import answer_errors
from deployments.api.middleware import BodyLimit, HeadAsGet, RequestFrame
from deployments.api.routes import ROUTERS
from schemas.problem import Problem
from settings import VERSION

DESCRIPTION = """Cameras drop pictures; this system makes scored, explained events and alerts of them.

**Lists** answer `{"<plural>": [...], "count", "limit", "offset", "next_cursor"}`; give `next_cursor` as `cursor` for
the next page. A parameter that is not known is refused.

**Errors** are RFC 9457 `application/problem+json` with a `request_id` that stands in the log, and `errors` by field
where values cannot be used.

**Keys** go as `X-API-Key` where they are asked for (always, when the API is bound beyond loopback); a WebSocket takes
`?api_key=`, or the subprotocols `hsi, api-key.KEY`, and is closed with 1008 without one. Pages sign in once:
`POST /api/session`. Each client has a limit a minute; `X-RateLimit-*` say what is left.

**Times** are ISO 8601 in UTC with `Z`; one that is given without an offset is taken as UTC.

**Live frames** come over the WebSocket `/ws/events` as `{"type", "data", "timestamp", "sequence", "channel"}`, numbered
without a gap in each channel (detections, events, alerts, cameras, jobs, system). Without a subscription everything
comes. Say `{"type": "subscribe", "data": {"patterns": ["alert.*"]}}` to choose, `{"type": "resync", "data": {"channel":
"alerts", "last_sequence": 7}}` after a break: up to 1,000 frames come again with `"replay": true`, then `resynced`,
which says in `truncated` whether older ones are gone. `ping` gets `pong`; the server pings every 30 s and lets a
client go from which nothing came for 300 s. A client that reads too slowly loses its own oldest frames and is told how
many: `{"type": "dropped", "data": {"count": 12}}`.

`GET /api/system/websocket/events` lists the 24 types of frame, each with the JSON Schema of its `data`. The WebSocket
`/ws/system` carries the channel `system` alone and takes the same messages. It says how the system is at once and every
5 s: a `system.status`, with its number where one was published, and with `"sequence": null` where the API made it
itself because nobody else did.
"""


def create_app(services: Services) -> FastAPI:
    """Takes services that are open, and closes them when the application ends."""

    @asynccontextmanager
    async def closing(_: FastAPI) -> AsyncIterator[None]:
        yield
        await services.close()
        await asyncio.to_thread(flush_process)

    app = FastAPI(
        title="Home Security Intelligence",
        version=VERSION,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        middleware=[
            Middleware(RequestFrame, clock=services.clock),
            Middleware(HeadAsGet),
            Middleware(
                Door,
                settings=services.settings,
                keys=services.keys,
                limiter=services.limiter,
                behind_own_proxy=services.behind_own_proxy,
            ),
            Middleware(BodyLimit),
        ],
        lifespan=closing,
    )
    app.state.services = services
    for router in ROUTERS:
        app.include_router(router)
    answer_errors(app, allowed_methods)
    app.openapi = _with_problem(app.openapi)  # type: ignore[method-assign]
    return app


def allowed_methods(path: str) -> set[str]:
    """The methods that some route of this path has."""
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    methods = {method for route in routes if route.path_regex.match(path) for method in route.methods or ()}
    return methods | {"HEAD"} if "GET" in methods else methods


def _with_problem(described: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    """Adds the shape of errors, to which every route's description points."""

    def complete() -> dict[str, Any]:
        document = described()
        _, definitions = models_json_schema([(Problem, "serialization")], ref_template="#/components/schemas/{model}")
        document["components"]["schemas"].update(definitions["$defs"])
        describe_access(document)
        return document

    return complete
