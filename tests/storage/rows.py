"""Rows for tests, written as the pipeline would write them."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from storage.postgres import Pool

NOON = datetime(2025, 12, 23, 12, 0, tzinfo=UTC)

WHY_OF_EARLIER_VERSIONS: dict[str, Any] = {
    "factors": [{"name": "base", "points": 70.0, "because": "person seen"}],
    "unusual": [],
    "severity_bands": {"low_max": 29, "medium_max": 59, "high_max": 84},
    "timezone": "UTC",
}
"""As it was written before there was a language model."""


class Rows:
    """Each method inserts one row with what is not given filled in, and answers its id."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self._files = 0

    async def camera(self, camera_id: str = "front_door", **values: Any) -> str:
        given = {"name": camera_id.title(), "folder_path": f"/srv/cameras/{camera_id}"} | values
        return await self._insert("cameras", {"id": camera_id} | given)

    async def media(self, camera_id: str = "front_door", file: Path | None = None, **values: Any) -> int:
        """`file`: a real one, whose size and time go into the row."""
        self._files += 1
        path = os.fsencode(file) if file else f"/srv/cameras/{camera_id}/{self._files}.jpg".encode()
        status = file.stat() if file else None
        given = {
            "camera_id": camera_id,
            "path": path,
            "size_bytes": status.st_size if status else 20_000,
            "modified_ns": status.st_mtime_ns if status else 1_766_000_000_000_000_000,
            "content_hash": self._files.to_bytes(32, "big"),
            "media_type": "image",
            "state": "detected",
            "captured_at": NOON,
            "width": 1280,
            "height": 720,
        }
        return await self._insert("media", given | values)

    async def batch(self, camera_id: str = "front_door", **values: Any) -> UUID:
        given = {"state": "assessed", "started_at": NOON, "ended_at": NOON, "opened_at": NOON, "last_activity_at": NOON}
        return await self._insert("batches", {"camera_id": camera_id} | given | values)

    async def detection(self, batch_id: UUID, media_id: int, **values: Any) -> int:
        given = {
            "camera_id": "front_door",
            "object_type": "person",
            "confidence": 0.9,
            "x": 100.0,
            "y": 200.0,
            "width": 50.0,
            "height": 80.0,
            "detected_at": NOON,
        }
        return await self._insert("detections", {"batch_id": batch_id, "media_id": media_id} | given | values)

    async def event(self, camera_id: str = "front_door", batch_id: UUID | None = None, **values: Any) -> int:
        batch = batch_id or await self.batch(camera_id)
        given = {
            "started_at": NOON,
            "ended_at": NOON + timedelta(seconds=30),
            "risk_score": 70,
            "risk_level": "high",
            "summary": "A person at the door",
            "reasoning": "because of the hour",
            "assessment": "final",
            "assessed_by": "deterministic",
            "why": WHY_OF_EARLIER_VERSIONS,
            "object_types": ["person"],
            "detection_count": 0,
        }
        return await self._insert("events", {"batch_id": batch, "camera_id": camera_id} | given | values)

    async def rule(self, **values: Any) -> UUID:
        given = {
            "name": "A rule",
            "enabled": True,
            "severity": "high",
            "cooldown_seconds": 300,
            "dedup_key_template": "{camera_id}:{rule_id}",
            "channels": [],
        }
        return await self._insert("alert_rules", given | values)

    async def alert(self, event_id: int, rule_id: UUID | None = None, **values: Any) -> UUID:
        given = {
            "rule_id": rule_id or await self.rule(),
            "severity": "high",
            "status": "pending",
            "dedup_key": "front_door:rule",
            "channels": ["email"],
            "metadata": {"rule_name": "A rule", "matched_conditions": {}},
        }
        return await self._insert("alerts", {"event_id": event_id} | given | values)

    async def delivery(self, alert_id: UUID, **values: Any) -> UUID:
        given = {"channel": "email", "recipient": "me@example.com", "status": "queued"}
        return await self._insert("deliveries", {"alert_id": alert_id} | given | values)

    async def reassessment(self, event_id: int, risk_score: int = 70, **values: Any) -> int:
        return await self._insert("reassessments", {"id": event_id, "risk_score": risk_score} | values)

    async def service(self, name: str, **values: Any) -> str:
        given = {"category": "infrastructure", "status": "running", "checked_at": datetime.now(UTC)}
        return await self._insert("services", {"name": name} | given | values, key="name")

    async def _insert(self, table: str, values: dict[str, Any], key: str = "id") -> Any:
        places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
        return await self.pool.fetchval(
            f"INSERT INTO {table} ({', '.join(values)}) VALUES ({places}) RETURNING {key}", *values.values()
        )
