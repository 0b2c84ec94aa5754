"""The live connection: frames of every channel as they are published."""

from urllib.parse import urlsplit

from fastapi import APIRouter, WebSocket

from deployments.api.deps import Services
from deployments.api.live.session import LiveSession

router = APIRouter()

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_REFUSED = 1008


@router.websocket("/ws/events")
async def live_events(websocket: WebSocket) -> None:
    """Frames `{type, data, timestamp, sequence, channel}`; see live/messages.py for what a client may say."""
    if not _is_from_here(websocket):
        await websocket.close(_REFUSED)
        return
    services: Services = websocket.app.state.services
    await LiveSession(websocket, services.fanout, services.bus, services.clock, services.live_policy).run()


def _is_from_here(websocket: WebSocket) -> bool:
    """Whether the page that connects is served by us: browsers let any page of the web open a socket to this one.

    Programs send no Origin. A page on this machine may come from another port, as while it is being developed. A
    proxy that changes Host says the asked name in X-Forwarded-Host, which no page can set.
    """
    origin = websocket.headers.get("origin")
    if origin is None:
        return True
    ours = [websocket.headers.get(name, "") for name in ("host", "x-forwarded-host")]
    page = urlsplit(origin)
    if page.netloc and page.netloc in ours:
        return True
    return page.hostname in _LOOPBACK and urlsplit(f"//{ours[0]}").hostname in _LOOPBACK
