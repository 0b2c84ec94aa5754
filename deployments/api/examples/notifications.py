"""Examples of notification preferences, of the channels, and of a test."""

from typing import Any

PREFERENCES: dict[str, Any] = {
    "id": 1,
    "enabled": True,
    "sound": "default",
    "risk_filters": ["critical", "high", "medium"],
    "critical_passes_quiet_hours": True,
}

CAMERA_SETTING: dict[str, Any] = {"id": 3, "camera_id": "front_door", "enabled": True, "risk_threshold": 75}

QUIET_PERIOD: dict[str, Any] = {
    "id": 5,
    "label": "Night Hours",
    "start_time": "22:00:00",
    "end_time": "06:00:00",
    "days": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
}

NOTIFICATION_CONFIG: dict[str, Any] = {
    "notification_enabled": True,
    "email_configured": True,
    "webhook_configured": True,
    "push_configured": False,
    "available_channels": ["email", "webhook"],
    "smtp_host": "smtp.example.com",
    "smtp_port": 587,
    "smtp_from_address": "alerts@example.com",
    "not_configured": {"push": "push is not configured: set PUSH_URLS"},
}

NOTIFICATION_TEST: dict[str, Any] = {
    "channel": "email",
    "success": True,
    "message": "delivered to 1 of 1",
    "results": [
        {
            "recipient": "test@example.com",
            "delivered": True,
            "receipt": "accepted by smtp.example.com: 2.0.0 OK: queued as 4711",
            "error": None,
        }
    ],
    "timestamp": "2025-12-23T10:30:00Z",
}
