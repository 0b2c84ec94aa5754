"""Examples of latencies."""

from typing import Any


def _figures(*values: float, sample_count: int) -> dict[str, Any]:
    names = ("avg_ms", "min_ms", "max_ms", "p50_ms", "p95_ms", "p99_ms")
    return dict(zip(names, values, strict=True)) | {"sample_count": sample_count}


def _bucket(*values: float, sample_count: int) -> dict[str, Any]:
    return dict(zip(("avg_ms", "p50_ms", "p95_ms", "p99_ms"), values, strict=True)) | {"sample_count": sample_count}


LATENCY: dict[str, Any] = {
    "watch_to_detect": _figures(50.0, 10.0, 200.0, 40.0, 150.0, 180.0, sample_count=500),
    "detect_to_batch": _figures(100.0, 20.0, 500.0, 80.0, 400.0, 480.0, sample_count=500),
    "batch_to_analyze": _figures(5000.0, 2000.0, 15000.0, 4500.0, 12000.0, 14000.0, sample_count=100),
    "total_pipeline": _figures(35000.0, 10000.0, 120000.0, 30000.0, 100000.0, 110000.0, sample_count=100),
    "analyze": _figures(12.5, 8.1, 40.2, 11.9, 20.3, 33.4, sample_count=100),
    "event_to_delivery": None,
    "window_minutes": 60,
    "timestamp": "2025-12-28T10:30:00Z",
}

LATENCY_HISTORY: dict[str, Any] = {
    "snapshots": [
        {
            "timestamp": "2025-12-28T10:00:00Z",
            "stages": {
                "watch_to_detect": _bucket(50.0, 45.0, 120.0, 150.0, sample_count=15),
                "detect_to_batch": _bucket(100.0, 80.0, 400.0, 480.0, sample_count=15),
                "batch_to_analyze": None,
                "total_pipeline": None,
                "analyze": None,
                "event_to_delivery": None,
            },
        }
    ],
    "count": 1,
    "window_minutes": 60,
    "bucket_seconds": 60,
    "timestamp": "2025-12-28T10:30:00Z",
}
