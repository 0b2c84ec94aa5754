"""Documented health, GPU, statistics, performance and latency."""

from collections.abc import Iterator

from tests.system.documented.answers import (
    BROADCASTER,
    FILES,
    GPU,
    HISTORY_STAGE,
    PART,
    STAGE,
    STAGES,
    WORKERS,
    Documented,
)
from tests.system.documented.shapes import (
    ANYTHING,
    BOOLEAN,
    COUNT,
    NAME,
    NUMBER,
    PERCENT,
    SIZE,
    TEXT,
    TIME,
    Fields,
    ListOf,
    MapOf,
    Nullable,
    OneOf,
)


def health() -> Iterator[Documented]:
    yield Documented("A Liveness Probe; B GET /health", "GET", "/health", Fields({"status": OneOf("alive")}))
    yield Documented(
        "A Fast Liveness Probe; C 2",
        "GET",
        "/api/system/health/live",
        Fields({"status": OneOf("alive"), "timestamp": TIME}),
    )
    yield Documented(
        "A Simple Readiness Probe; C 2", "GET", "/ready", Fields({"ready": OneOf(True), "status": OneOf("ready")})
    )
    yield Documented(
        "A Detailed Health Check; B GET /api/system/health",
        "GET",
        "/api/system/health",
        Fields(
            {
                "status": OneOf("healthy"),
                "services": Fields({"database": PART, "redis": PART, "ai": PART}),
                "timestamp": TIME,
            }
        ),
    )
    yield Documented(
        "A Readiness Probe; B GET /api/system/health/ready",
        "GET",
        "/api/system/health/ready",
        Fields(
            {
                "ready": OneOf(True),
                "status": OneOf("ready"),
                "services": Fields({"database": PART, "redis": PART, "ai": PART}),
                "workers": ListOf(Fields({"name": NAME, "running": OneOf(True), "message": Nullable(TEXT)}), least=4),
                "timestamp": TIME,
            }
        ),
    )
    yield Documented(
        "A Full Health Check",
        "GET",
        "/api/system/health/full",
        Fields(
            {
                "status": OneOf("healthy", "degraded"),
                "infrastructure": MapOf(Fields({"status": NAME, "latency_ms": SIZE}), has=("postgres", "redis")),
                "ai_services": MapOf(
                    Fields({"status": NAME}), has=("yolo26", "nemotron", "florence", "clip", "enrichment")
                ),
                "circuit_breakers": MapOf(Fields({"state": NAME, "failures": COUNT}), has=("yolo26",)),
                "workers": MapOf(Fields({"running": BOOLEAN}), has=WORKERS),
                "timestamp": TIME,
            }
        ),
    )
    yield Documented(
        "A WebSocket Health",
        "GET",
        "/api/system/health/websocket",
        Fields({"event_broadcaster": BROADCASTER, "system_broadcaster": BROADCASTER, "timestamp": TIME}),
    )


def figures() -> Iterator[Documented]:
    yield Documented("A Current GPU Stats; B GET /api/system/gpu", "GET", "/api/system/gpu", Fields(GPU))
    yield Documented(
        "A GPU History; B GET /api/system/gpu/history",
        "GET",
        "/api/system/gpu/history",
        Fields({"samples": ListOf(Fields({**GPU, "recorded_at": TIME})), "count": COUNT, "limit": OneOf(300)}),
    )
    yield Documented(
        "A System Statistics; B GET /api/system/stats",
        "GET",
        "/api/system/stats",
        Fields({"total_cameras": COUNT, "total_events": COUNT, "total_detections": COUNT, "uptime_seconds": SIZE}),
    )
    yield Documented(
        "A Storage Statistics; B GET /api/system/storage",
        "GET",
        "/api/system/storage",
        Fields(
            {
                "disk_used_bytes": COUNT,
                "disk_total_bytes": COUNT,
                "disk_free_bytes": COUNT,
                "disk_usage_percent": PERCENT,
                "thumbnails": FILES,
                "images": FILES,
                "clips": FILES,
                "events_count": COUNT,
                "detections_count": COUNT,
                "gpu_stats_count": COUNT,
                "logs_count": COUNT,
                "timestamp": TIME,
            }
        ),
    )
    yield Documented(
        "A Pipeline Telemetry; B GET /api/system/telemetry; C 1",
        "GET",
        "/api/system/telemetry",
        Fields(
            {
                "queues": MapOf(COUNT, has=("detection_queue", "analysis_queue")),
                "latencies": MapOf(Nullable(STAGE), has=("watch", "detect", "batch", "analyze")),
                "timestamp": TIME,
            }
        ),
    )
    yield Documented(
        "A Pipeline status; B GET /api/system/pipeline",
        "GET",
        "/api/system/pipeline",
        Fields(
            {
                "file_watcher": Nullable(
                    Fields(
                        {
                            "running": BOOLEAN,
                            "camera_root": NAME,
                            "pending_tasks": COUNT,
                            "observer_type": OneOf("native", "polling"),
                        }
                    )
                ),
                "batch_aggregator": Nullable(
                    Fields(
                        {
                            "active_batches": COUNT,
                            "batches": ListOf(
                                Fields(
                                    {
                                        "batch_id": NAME,
                                        "camera_id": NAME,
                                        "detection_count": COUNT,
                                        "started_at": NUMBER,
                                        "age_seconds": SIZE,
                                        "last_activity_seconds": SIZE,
                                    }
                                )
                            ),
                            "batch_window_seconds": COUNT,
                            "idle_timeout_seconds": COUNT,
                        }
                    )
                ),
                "degradation": Nullable(
                    Fields(
                        {
                            "mode": OneOf("normal", "degraded", "minimal", "offline"),
                            "is_degraded": BOOLEAN,
                            "redis_healthy": BOOLEAN,
                            "memory_queue_size": COUNT,
                            "fallback_queues": MapOf(COUNT),
                            "services": ListOf(
                                Fields(
                                    {
                                        "name": NAME,
                                        "status": NAME,
                                        "last_check": Nullable(NUMBER),
                                        "consecutive_failures": COUNT,
                                        "error_message": Nullable(TEXT),
                                    }
                                )
                            ),
                            "available_features": ListOf(NAME),
                        }
                    )
                ),
                "timestamp": TIME,
            }
        ),
    )
    yield Documented(
        "A Performance Metrics",
        "GET",
        "/api/system/performance",
        Fields(
            {
                "gpu": Nullable(
                    Fields(
                        {
                            "utilization": Nullable(PERCENT),
                            "memory_used_mb": Nullable(COUNT),
                            "memory_total_mb": Nullable(COUNT),
                            "temperature_c": Nullable(NUMBER),
                            "power_watts": Nullable(SIZE),
                        }
                    )
                ),
                "ai_models": MapOf(Fields({"status": NAME, "vram_mb": Nullable(SIZE)}), has=("yolo26", "nemotron")),
                "inference": Fields(
                    {
                        "avg_latency_ms": Nullable(SIZE),
                        "p95_latency_ms": Nullable(SIZE),
                        "throughput_fps": Nullable(SIZE),
                    }
                ),
                "databases": Fields(
                    {
                        "postgres": Fields({"status": OneOf("healthy"), "connections": COUNT}),
                        "redis": Fields({"status": OneOf("healthy"), "memory_mb": SIZE}),
                    }
                ),
                "host": Fields({"cpu_percent": PERCENT, "ram_percent": PERCENT, "disk_percent": PERCENT}),
                "containers": ListOf(Fields({"name": NAME, "status": NAME}), least=1),
                "alerts": ListOf(ANYTHING),
                "timestamp": TIME,
            }
        ),
    )
    yield Documented(
        "A Performance History",
        "GET",
        "/api/system/performance/history",
        Fields({"snapshots": ListOf(Fields({"timestamp": TIME}), least=1), "time_range": OneOf("5m"), "count": COUNT}),
    )
    yield Documented(
        "A Pipeline Latency; B GET /api/system/pipeline-latency; C 1",
        "GET",
        "/api/system/pipeline-latency",
        Fields({**{stage: Nullable(STAGE) for stage in STAGES}, "window_minutes": OneOf(60), "timestamp": TIME}),
    )
    yield Documented(
        "A Pipeline Latency History; B GET /api/system/pipeline-latency/history; C 1",
        "GET",
        "/api/system/pipeline-latency/history",
        Fields(
            {
                "snapshots": ListOf(
                    Fields({"timestamp": TIME, "stages": MapOf(Nullable(HISTORY_STAGE), has=STAGES[:4])})
                ),
                "window_minutes": OneOf(60),
                "bucket_seconds": OneOf(60),
                "count": COUNT,
                "timestamp": TIME,
            }
        ),
    )
