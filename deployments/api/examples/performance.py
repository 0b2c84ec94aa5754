"""Examples of performance."""

from typing import Any

_SNAPSHOT: dict[str, Any] = {
    "gpu": {
        "name": "NVIDIA RTX A5500",
        "utilization": 75.5,
        "memory_used_mb": 12000,
        "memory_total_mb": 24000,
        "temperature_c": 78.0,
        "power_watts": 150.0,
    },
    "ai_models": {
        "yolo26": {"status": "loaded", "vram_mb": 2048, "message": None},
        "nemotron": {"status": "not_configured", "vram_mb": None, "message": "no language model is configured"},
    },
    "inference": {"avg_latency_ms": 45.2, "p95_latency_ms": 120.5, "throughput_fps": 22.3},
    "databases": {
        "postgres": {"status": "healthy", "connections": 10, "max_connections": 97, "pool_use_percent": 10.3},
        "redis": {"status": "healthy", "memory_mb": 256.0},
    },
    "host": {"cpu_percent": 35.2, "ram_percent": 62.1, "disk_percent": 45.0},
    "containers": [{"name": "api", "status": "running"}, {"name": "yolo26", "status": "running"}],
    "alerts": [
        {
            "severity": "warning",
            "metric": "gpu_temperature",
            "resource": "head/0",
            "value": 78.0,
            "threshold": 75.0,
            "message": "GPU temperature of head/0: 78.0 °C, warning from 75 on",
            "since": "2025-12-27T10:29:20Z",
        }
    ],
    "timestamp": "2025-12-27T10:30:00Z",
}

PERFORMANCE: dict[str, Any] = {**_SNAPSHOT, "stale": False, "monitor_reported_at": "2025-12-27T10:30:00Z"}

PERFORMANCE_HISTORY: dict[str, Any] = {"snapshots": [_SNAPSHOT], "time_range": "5m", "count": 1}
