"""Documented logs, notifications, services, models, breakers, metrics and frame types."""

from collections.abc import Iterator

from tests.system.documented.answers import (
    BREAKER,
    CAMERA_SETTING,
    FRONTEND_LOG,
    LOG,
    MODEL,
    MODEL_STATUS,
    PREFERENCES,
    QUIET,
    SERVICE,
    SUMMARY,
    Documented,
)
from tests.system.documented.shapes import (
    ANYTHING,
    BOOLEAN,
    COUNT,
    NAME,
    SIZE,
    TIME,
    Fields,
    ListOf,
    MapOf,
    Nullable,
    Number,
    OneOf,
)


def logs() -> Iterator[Documented]:
    said = Fields({"success": OneOf(True), "count": OneOf(1), "message": NAME})
    yield Documented("A Submit Frontend Log; C 2", "POST", "/api/logs/frontend", said, status=(201,), body=FRONTEND_LOG)
    yield Documented(
        "A Batch Log Entries; C 2",
        "POST",
        "/api/logs/frontend/batch",
        said.and_also(count=OneOf(2)),
        status=(201,),
        body={"entries": [FRONTEND_LOG, {"level": "INFO", "message": "Page loaded successfully", "component": "App"}]},
    )
    yield Documented("A List Logs", "GET", "/api/logs", Fields({"logs": ListOf(LOG, least=1), "count": COUNT}))
    yield Documented(
        "A Log Statistics",
        "GET",
        "/api/logs/stats",
        Fields(
            {
                "total_today": COUNT,
                "errors_today": COUNT,
                "warnings_today": COUNT,
                "by_component": MapOf(COUNT),
                "by_level": MapOf(COUNT),
                "top_component": Nullable(NAME),
            }
        ),
    )
    yield Documented("A Logs", "GET", "/api/logs/{log}", LOG)


def notifications() -> Iterator[Documented]:
    base = "/api/notification-preferences"
    yield Documented("A Global Preferences; C 2", "GET", base, PREFERENCES)
    yield Documented(
        "A Update Global Preferences",
        "PUT",
        base,
        PREFERENCES.and_also(sound=OneOf("alert")),
        body={"enabled": True, "sound": "alert", "risk_filters": ["critical", "high"]},
    )
    yield Documented(
        "A Camera-Specific Settings",
        "PUT",
        base + "/cameras/{camera}",
        CAMERA_SETTING.and_also(risk_threshold=OneOf(75)),
        body={"enabled": True, "risk_threshold": 75},
    )
    yield Documented(
        "A Notification Preferences; C 2",
        "GET",
        base + "/cameras",
        Fields({"settings": ListOf(CAMERA_SETTING, least=1), "count": COUNT}),
    )
    yield Documented("A Notification Preferences; C 2", "GET", base + "/cameras/{camera}", CAMERA_SETTING)
    yield Documented(
        "A Quiet Hours",
        "POST",
        base + "/quiet-hours",
        QUIET,
        status=(201,),
        body={
            "label": "Night Hours",
            "start_time": "22:00:00",
            "end_time": "23:59:00",
            "days": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
        },
    )
    yield Documented(
        "A Quiet Hours; C 2", "GET", base + "/quiet-hours", Fields({"periods": ListOf(QUIET, least=1), "count": COUNT})
    )
    yield Documented("A Quiet Hours; C 2", "DELETE", base + "/quiet-hours/{period}", ANYTHING, status=(204,))
    yield Documented(
        "A Get Notification Configuration",
        "GET",
        "/api/notification/config",
        Fields(
            {
                "notification_enabled": BOOLEAN,
                "email_configured": OneOf(True),
                "webhook_configured": OneOf(True),
                "push_configured": OneOf(False),
                "available_channels": ListOf(OneOf("email", "webhook"), least=2),
                "smtp_host": NAME,
                "smtp_port": Number(1, 65535, whole=True),
                "smtp_from_address": NAME,
            }
        ),
    )
    yield Documented(
        "A Test Notification",
        "POST",
        "/api/notification/test",
        Fields({"channel": OneOf("email"), "success": OneOf(True), "message": NAME}),
        body={"channel": "email", "email_recipients": ["owner@example.org"]},
    )


def services() -> Iterator[Documented]:
    def action(name: str) -> Fields:
        return Fields(
            {
                "action": OneOf(name),
                "service": OneOf("gpu_monitor"),
                "success": OneOf(True),
                "message": NAME,
                "service_info": Fields(
                    {"name": OneOf("gpu_monitor"), "status": NAME, "enabled": BOOLEAN, "failure_count": COUNT}
                ),
            }
        )

    yield Documented(
        "A List Services",
        "GET",
        "/api/system/services",
        Fields(
            {
                "services": ListOf(SERVICE, least=14),
                "summaries": MapOf(SUMMARY, has=("infrastructure", "ai", "monitoring")),
            }
        ),
    )
    for name in ("restart", "disable", "enable"):
        path = "/api/system/services/gpu_monitor/" + name
        yield Documented(f"A {name.title()} Service", "POST", path, action(name))
    yield Documented(
        "A Start Service", "POST", "/api/system/services/gpu_monitor/start", ANYTHING, status=(400,)
    )  # it runs already


def models() -> Iterator[Documented]:
    yield Documented(
        "A Get Model Registry; C 7",
        "GET",
        "/api/system/models",
        Fields(
            {
                "vram_budget_mb": OneOf(1650),
                "vram_used_mb": SIZE,
                "vram_available_mb": SIZE,
                "models": ListOf(MODEL, least=18),
            }
        ),
    )
    yield Documented(
        "A Get Model Status",
        "GET",
        "/api/system/models/yolo11-license-plate",
        MODEL.and_also(load_time_ms=Nullable(SIZE), inference_count=COUNT),
    )
    yield Documented(
        "A Model Zoo Status",
        "GET",
        "/api/system/model-zoo/status",
        Fields(
            {
                "models": ListOf(
                    Fields({"name": NAME, "category": NAME, "status": MODEL_STATUS, "vram_mb": SIZE}), least=18
                ),
                "categories": MapOf(Fields({"loaded": COUNT, "total": COUNT}), has=("detection", "ocr", "embedding")),
                "timestamp": TIME,
            }
        ),
    )
    yield Documented(
        "A Model Latency History",
        "GET",
        "/api/system/model-zoo/latency/history",
        Fields(
            {"model": OneOf("yolo11-license-plate"), "snapshots": ListOf(Fields({"timestamp": TIME})), "count": COUNT}
        ),
        query={"model": "yolo11-license-plate"},
    )


def rest() -> Iterator[Documented]:
    yield Documented(
        "B GET /api/system/circuit-breakers; C 1",
        "GET",
        "/api/system/circuit-breakers",
        Fields(
            {
                "circuit_breakers": MapOf(BREAKER, has=("yolo26",)),
                "total_count": COUNT,
                "open_count": COUNT,
                "timestamp": TIME,
            }
        ),
    )
    yield Documented(
        "A Reset Circuit Breaker; B POST /api/system/circuit-breakers/{name}/reset; C 1",
        "POST",
        "/api/system/circuit-breakers/yolo26/reset",
        Fields(
            {
                "name": OneOf("yolo26"),
                "previous_state": OneOf("closed", "open", "half_open"),
                "new_state": OneOf("closed"),
                "message": NAME,
                "timestamp": TIME,
            }
        ),
    )
    yield Documented("A Get Metrics", "GET", "/api/metrics", ANYTHING)
    yield Documented(
        "A List WebSocket Event Types; C 6",
        "GET",
        "/api/system/websocket/events",
        Fields(
            {
                "event_types": ListOf(
                    Fields(
                        {
                            "type": NAME,
                            "channel": OneOf("detections", "events", "alerts", "cameras", "jobs", "system"),
                            "description": NAME,
                            "deprecated": BOOLEAN,
                            "payload_schema": MapOf(ANYTHING, has=("properties",)),
                            "example": MapOf(ANYTHING),
                        }
                    ),
                    least=24,
                ),
                "channels": ListOf(NAME, least=6),
                "total_count": OneOf(24),
                "deprecated_count": OneOf(2),
            }
        ),
    )
