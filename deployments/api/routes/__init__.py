"""Every router of the API; where two could answer a path, the first does."""

from fastapi import APIRouter

from deployments.api.routes import (
    alert_rules,
    alerts,
    audit,
    cameras,
    circuit_breakers,
    cleanup,
    configuration,
    dead_letters,
    detections,
    docs,
    events,
    frame_types,
    health,
    latency,
    live,
    logs,
    media,
    metrics,
    models,
    notification,
    notification_preferences,
    performance,
    services,
    session,
    statistics,
    system,
)

ROUTERS: tuple[APIRouter, ...] = (
    session.router,  # /api/session
    health.router,  # /health /ready /api/system/health
    cameras.router,  # /api/cameras
    events.router,  # /api/events
    detections.router,  # /api/detections
    media.router,  # /api/media
    alert_rules.router,  # /api/alerts/rules
    alerts.router,  # /api/alerts
    notification_preferences.router,  # /api/notification-preferences
    notification.router,  # /api/notification
    configuration.router,  # /api/system/{config,severity,anomaly-config}
    statistics.router,  # /api/system/{gpu,stats,storage,telemetry}
    performance.router,  # /api/system/performance
    latency.router,  # /api/system/pipeline-latency
    system.router,  # /api/system/pipeline
    cleanup.router,  # /api/system/cleanup
    services.router,  # /api/system/services
    circuit_breakers.router,  # /api/system/circuit-breakers
    models.router,  # /api/system/{models,model-zoo}
    frame_types.router,  # /api/system/websocket/events
    logs.router,  # /api/logs
    audit.router,  # /api/audit
    dead_letters.router,  # /api/dlq
    metrics.router,  # /api/metrics
    live.router,  # /ws/events /ws/system
    docs.router,  # /docs
)
