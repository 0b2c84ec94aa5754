"""Examples of the figures from rows and probes."""

from typing import Any

_READING: dict[str, Any] = {
    "gpu_name": "NVIDIA RTX A5500",
    "utilization": 75.5,
    "memory_used": 12000,
    "memory_total": 24000,
    "temperature": 65.0,
    "power_usage": 150.0,
    "inference_fps": 30.5,
}
_SAMPLE: dict[str, Any] = {**_READING, "recorded_at": "2025-12-23T10:00:00Z", "node": "head", "gpu_index": 0}

GPU: dict[str, Any] = {**_READING, "recorded_at": "2025-12-23T10:00:00Z", "gpus": [_SAMPLE]}

GPU_HISTORY: dict[str, Any] = {"samples": [_SAMPLE], "count": 1, "limit": 300}

STATS: dict[str, Any] = {
    "total_cameras": 4,
    "total_events": 156,
    "total_detections": 892,
    "uptime_seconds": 86400.5,
}

STORAGE: dict[str, Any] = {
    "disk_used_bytes": 107374182400,
    "disk_total_bytes": 536870912000,
    "disk_free_bytes": 429496729600,
    "disk_usage_percent": 20.0,
    "thumbnails": {"file_count": 1500, "size_bytes": 75000000},
    "images": {"file_count": 10000, "size_bytes": 5000000000},
    "clips": {"file_count": 50, "size_bytes": 500000000},
    "events_count": 156,
    "detections_count": 892,
    "gpu_stats_count": 2880,
    "logs_count": 5000,
    "files_counted_at": "2025-12-30T10:29:59Z",
    "timestamp": "2025-12-30T10:30:00Z",
}

TELEMETRY: dict[str, Any] = {
    "queues": {"detection_queue": 5, "analysis_queue": 2, "notification_queue": 0, "reassessment_queue": 0},
    "latencies": {
        "watch": {
            "avg_ms": 10.0,
            "min_ms": 5.0,
            "max_ms": 50.0,
            "p50_ms": 8.0,
            "p95_ms": 40.0,
            "p99_ms": 48.0,
            "sample_count": 500,
        },
        "detect": {
            "avg_ms": 200.0,
            "min_ms": 100.0,
            "max_ms": 800.0,
            "p50_ms": 180.0,
            "p95_ms": 600.0,
            "p99_ms": 750.0,
            "sample_count": 500,
        },
        "batch": None,
        "analyze": None,
    },
    "window_minutes": 60,
    "timestamp": "2025-12-27T10:30:00Z",
}
