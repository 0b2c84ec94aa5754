"""Every router of the API; where two could answer a path, the first does."""

from fastapi import APIRouter

from deployments.api.routes import alert_rules, alerts, cameras, detections, docs, events, health, live, media, system

ROUTERS: tuple[APIRouter, ...] = (
    health.router,  # /health /ready /api/system/health/{live,ready}
    cameras.router,  # /api/cameras
    events.router,  # /api/events
    detections.router,  # /api/detections
    media.router,  # /api/media
    alert_rules.router,  # /api/alerts/rules
    alerts.router,  # /api/alerts
    system.router,  # /api/system
    live.router,  # /ws/events
    docs.router,  # /docs
)
