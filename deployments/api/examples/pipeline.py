"""Examples of the pipeline's rows: cameras, detections, events, rules, alerts."""

from typing import Any

CAMERA: dict[str, Any] = {
    "id": "front_door",
    "name": "Front Door",
    "folder_path": "/srv/cameras/Front Door",
    "status": "online",
    "status_reason": None,
    "enabled": True,
    "created_at": "2025-12-01T08:00:00Z",
    "last_seen_at": "2025-12-23T10:29:58Z",
}

DETECTION: dict[str, Any] = {
    "id": 4711,
    "camera_id": "front_door",
    "file_path": "/srv/cameras/Front Door/20251223_102958.jpg",
    "media_type": "image",
    "detected_at": "2025-12-23T10:29:58Z",
    "object_type": "person",
    "confidence": 0.91,
    "bbox": {"x": 412.5, "y": 180.0, "width": 96.0, "height": 310.5},
    "batch_id": "2f1e8f64-6c0e-4d53-9a4e-0b7f2f4f5a10",
    "event_id": 42,
    "frame_offset_seconds": 0.0,
    "picture_width": 1280,
    "picture_height": 720,
}

EVENT: dict[str, Any] = {
    "id": 42,
    "batch_id": "2f1e8f64-6c0e-4d53-9a4e-0b7f2f4f5a10",
    "camera_id": "front_door",
    "started_at": "2025-12-23T02:13:05Z",
    "ended_at": "2025-12-23T02:13:41Z",
    "risk_score": 72,
    "risk_level": "high",
    "summary": "A person at the front door at night",
    "reasoning": "A person (0.91) was seen for 36 s at 02:13, when this camera hardly ever sees one (4 in 30 days).",
    "assessment": "final",
    "assessed_by": "deterministic",
    "reviewed": False,
    "notes": None,
    "object_types": ["person"],
    "detection_count": 3,
    "detection_ids": [4711, 4712, 4713],
}

MEDIA: dict[str, Any] = {
    "id": 9001,
    "camera_id": "front_door",
    "file_path": "/srv/cameras/Front Door/broken.jpg",
    "media_type": "image",
    "size_bytes": 20480,
    "state": "dead",
    "reason": "the JPEG is cut off: its end is missing",
    "duplicate_of": None,
    "captured_at": "2025-12-23T10:29:58Z",
    "received_at": "2025-12-23T10:30:00Z",
    "detected_at": None,
    "attempts": 1,
}

RULE: dict[str, Any] = {
    "id": "550e8400-e29b-41d4-a716-446655440000",
    "name": "A person at night",
    "description": None,
    "enabled": True,
    "severity": "high",
    "risk_threshold": 60,
    "object_types": ["person"],
    "camera_ids": None,
    "min_confidence": 0.6,
    "zones": None,
    "schedule": {"days": ["fri", "sat"], "start_time": "22:00", "end_time": "06:00", "timezone": None},
    "cooldown_seconds": 300,
    "dedup_key_template": "{camera_id}:{rule_id}",
    "channels": ["email", "webhook"],
    "created_at": "2025-12-01T08:00:00Z",
    "updated_at": "2025-12-01T08:00:00Z",
}

ALERT: dict[str, Any] = {
    "id": "6ba7b810-9dad-41d1-80b4-00c04fd430c8",
    "event_id": 42,
    "rule_id": "550e8400-e29b-41d4-a716-446655440000",
    "severity": "high",
    "status": "delivered",
    "dedup_key": "front_door:550e8400-e29b-41d4-a716-446655440000",
    "channels": ["email"],
    "created_at": "2025-12-23T02:13:50Z",
    "delivered_at": "2025-12-23T02:13:52Z",
    "acknowledged_at": None,
    "dismissed_at": None,
    "metadata": {"rule_name": "A person at night", "matched_conditions": {"risk_threshold": "72 >= 60"}},
}

DELIVERY: dict[str, Any] = {
    "id": "7d444840-9dc0-41d1-b245-5ffdce74fad2",
    "alert_id": "6ba7b810-9dad-41d1-80b4-00c04fd430c8",
    "channel": "email",
    "recipient": "me@example.com",
    "status": "delivered",
    "attempts": 1,
    "error": None,
    "suppressed_because": None,
    "receipt": "250 2.0.0 Ok: queued as 1A2B3C",
    "queued_at": "2025-12-23T02:13:50Z",
    "delivered_at": "2025-12-23T02:13:52Z",
}

RULE_TEST: dict[str, Any] = {
    "rule_id": RULE["id"],
    "rule_name": RULE["name"],
    "events_tested": 1,
    "events_matched": 1,
    "match_rate": 1.0,
    "results": [
        {
            "event_id": 42,
            "camera_id": "front_door",
            "risk_score": 72,
            "object_types": ["person"],
            "matches": True,
            "matched_conditions": {"risk_threshold": "72 >= 60", "object_types": "person"},
            "not_matched_because": None,
            "started_at": "2025-12-23T02:13:05Z",
        }
    ],
}

READINESS: dict[str, Any] = {
    "ready": True,
    "status": "ready",
    "services": {
        "database": {"status": "healthy", "message": "Database operational", "details": None},
        "redis": {"status": "healthy", "message": "Redis connected", "details": {"redis_version": "7.0.0"}},
        "ai": {
            "status": "healthy",
            "message": "AI services operational",
            "details": {"yolo26": "healthy", "nemotron": "not_configured"},
        },
    },
    "workers": [
        {"name": "file_watcher", "running": True, "message": None},
        {"name": "detection_worker", "running": True, "message": None},
        {"name": "batch_aggregator", "running": True, "message": None},
        {"name": "analysis_worker", "running": True, "message": None},
        {"name": "alert_dispatcher", "running": True, "message": None},
        {"name": "gpu_monitor", "running": True, "message": None},
    ],
    "timestamp": "2025-12-23T10:30:00Z",
}

PIPELINE: dict[str, Any] = {
    "file_watcher": {
        "running": True,
        "camera_root": "/srv/cameras",
        "pending_tasks": 3,
        "observer_type": "native",
    },
    "batch_aggregator": {
        "active_batches": 1,
        "batches": [
            {
                "batch_id": "2f1e8f64-6c0e-4d53-9a4e-0b7f2f4f5a10",
                "camera_id": "front_door",
                "detection_count": 5,
                "started_at": 1735500000.0,
                "age_seconds": 45.5,
                "last_activity_seconds": 10.2,
            }
        ],
        "batch_window_seconds": 90,
        "idle_timeout_seconds": 30,
    },
    "degradation": {
        "mode": "normal",
        "is_degraded": False,
        "redis_healthy": True,
        "memory_queue_size": 0,
        "fallback_queues": {},
        "services": [
            {
                "name": "yolo26",
                "status": "healthy",
                "last_check": 1735500000.0,
                "consecutive_failures": 0,
                "error_message": None,
            }
        ],
        "available_features": ["detection", "analysis", "events", "media"],
    },
    "timestamp": "2025-12-30T10:30:00Z",
}
