"""The live connections: frames as they are published, of every channel or of the channel `system` alone."""

from fastapi import APIRouter, WebSocket

from deployments.api.deps import Services
from deployments.api.live.session import LiveSession
from schemas.frame import LiveChannel

router = APIRouter()


@router.websocket("/ws/events")
async def live_events(websocket: WebSocket) -> None:
    """Frames `{type, data, timestamp, sequence, channel}`; see live/messages.py for what a client may say."""
    services: Services = websocket.app.state.services
    await LiveSession(websocket, services.fanout, services.bus, services.clock, services.live_policy).run()


@router.websocket("/ws/system")
async def live_system(websocket: WebSocket) -> None:
    """The channel `system`, with a `system.status` at once and every 5 s; otherwise as /ws/events."""
    services: Services = websocket.app.state.services
    session = LiveSession(
        websocket,
        services.system_fanout,
        services.bus,
        services.clock,
        services.live_policy,
        (LiveChannel.SYSTEM,),
    )
    await session.run()
