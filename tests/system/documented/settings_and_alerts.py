"""Documented configuration, clean-up, alert rules and alerts."""

from collections.abc import Iterator

from tests.system.documented.answers import (
    ANOMALY,
    CONFIG,
    ORPHANS,
    RULE,
    SEVERITY,
    STEPPED_ALERT,
    Documented,
)
from tests.system.documented.shapes import (
    ANYTHING,
    BOOLEAN,
    COUNT,
    NAME,
    TIME,
    UUID_TEXT,
    Fields,
    ListOf,
    Nullable,
    Number,
    OneOf,
    Text,
)


def configuration() -> Iterator[Documented]:
    yield Documented("A Get Configuration; B GET /api/system/config", "GET", "/api/system/config", CONFIG)
    yield Documented(
        "A Update Configuration; B PATCH /api/system/config",
        "PATCH",
        "/api/system/config",
        CONFIG.and_also(retention_days=OneOf(14)),
        body={"retention_days": 14},
    )
    yield Documented("A Get Severity Definitions; B GET /api/system/severity", "GET", "/api/system/severity", SEVERITY)
    yield Documented(
        "A Update Severity Thresholds; B PUT /api/system/severity",
        "PUT",
        "/api/system/severity",
        SEVERITY,
        body={"low_max": 29, "medium_max": 59, "high_max": 84},
    )
    yield Documented("A Get Anomaly Config; C 2", "GET", "/api/system/anomaly-config", ANOMALY)
    yield Documented(
        "A Update Anomaly Config; C 2",
        "PATCH",
        "/api/system/anomaly-config",
        ANOMALY.and_also(threshold_stdev=OneOf(2.5), min_samples=OneOf(50)),
        body={"threshold_stdev": 2.5, "min_samples": 50},
    )


def cleanup() -> Iterator[Documented]:
    yield Documented(
        "A Cleanup Status; B GET /api/system/cleanup/status",
        "GET",
        "/api/system/cleanup/status",
        Fields(
            {
                "running": OneOf(True),
                "retention_days": Number(1, 365, whole=True),
                "cleanup_time": Text(r"\d\d:\d\d"),
                "delete_images": OneOf(False),
                "next_cleanup": Nullable(TIME),
                "timestamp": TIME,
            }
        ),
    )
    yield Documented(
        "A Trigger Cleanup; B POST /api/system/cleanup",
        "POST",
        "/api/system/cleanup",
        Fields(
            {
                **{
                    f"{what}_deleted": COUNT
                    for what in ("events", "detections", "gpu_stats", "logs", "thumbnails", "images")
                },
                "space_reclaimed": COUNT,
                "retention_days": Number(1, 365, whole=True),
                "dry_run": OneOf(True),
                "timestamp": TIME,
            }
        ),
        query={"dry_run": "true"},
    )
    yield Documented(
        "A Orphaned File Cleanup",
        "POST",
        "/api/system/cleanup/orphaned-files",
        Fields(
            {
                "thumbnails": ORPHANS,
                "clips": ORPHANS,
                "total_orphaned_files": COUNT,
                "total_size_bytes": COUNT,
                "dry_run": OneOf(True),
                "timestamp": TIME,
            }
        ),
    )


def alerts() -> Iterator[Documented]:
    yield Documented(
        "A List Alert Rules", "GET", "/api/alerts/rules", Fields({"rules": ListOf(RULE, least=1), "count": COUNT})
    )
    yield Documented(
        "A Create Alert Rule",
        "POST",
        "/api/alerts/rules",
        RULE,
        status=(201,),
        body={
            "name": "Critical Person Detection",
            "severity": "critical",
            "risk_threshold": 85,
            "object_types": ["person"],
            "schedule": {
                "days": ["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
                "start_time": "00:00",
                "end_time": "06:00",
            },
            "cooldown_seconds": 600,
            "channels": ["email", "webhook"],
        },
    )
    yield Documented("A Alert Rules", "GET", "/api/alerts/rules/{rule}", RULE)
    yield Documented("A Alert Rules; C 2", "PUT", "/api/alerts/rules/{rule}", RULE, body={"description": "of a test"})
    yield Documented(
        "A Test Alert Rule; C 2",
        "POST",
        "/api/alerts/rules/{rule}/test",
        Fields(
            {
                "rule_id": UUID_TEXT,
                "rule_name": NAME,
                "events_tested": COUNT,
                "events_matched": COUNT,
                "match_rate": Number(0, 1),
                "results": ListOf(
                    Fields(
                        {
                            "event_id": COUNT,
                            "camera_id": NAME,
                            "risk_score": Number(0, 100, whole=True),
                            "object_types": ListOf(NAME),
                            "matches": BOOLEAN,
                            "matched_conditions": ANYTHING,
                            "started_at": TIME,
                        }
                    ),
                    least=1,
                ),
            }
        ),
        body={"test_time": "2025-12-23T03:00:00Z", "limit": 50},
    )
    yield Documented(
        "A Acknowledge Alert",
        "POST",
        "/api/alerts/{alert}/acknowledge",
        STEPPED_ALERT.and_also(status=OneOf("acknowledged"), acknowledged_at=TIME),
    )
    yield Documented(
        "A Dismiss Alert",
        "POST",
        "/api/alerts/{alert}/dismiss",
        STEPPED_ALERT.and_also(status=OneOf("dismissed"), dismissed_at=TIME),
    )
    yield Documented("A Alert Rules; C 2", "DELETE", "/api/alerts/rules/{spare_rule}", ANYTHING, status=(204,))
