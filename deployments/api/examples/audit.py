"""Examples of the audit trail."""

from typing import Any

AUDIT_ENTRY: dict[str, Any] = {
    "id": 17,
    "timestamp": "2025-12-23T10:30:00Z",
    "action": "settings_changed",
    "resource_type": "severity_thresholds",
    "resource_id": None,
    "actor": "local",
    "ip_address": "127.0.0.1",
    "details": {
        "changes": {
            "low_max": {"old": 29, "new": 20},
            "medium_max": {"old": 59, "new": 45},
            "high_max": {"old": 84, "new": 70},
        }
    },
    "status": "success",
}
