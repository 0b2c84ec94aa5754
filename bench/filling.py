"""A database as it is after a long time: events with their batches, files and detections, made in it by itself."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from storage.postgres import Connection, connect_once

_LONG_SECONDS = 1800.0
CAMERAS = 4
DETECTIONS_A_FILE = 5
"""Of each event's ten detections, five are in one picture and five in another."""
# $1 the filling's name, $2 and $3 the first event's start and the time to the next one, $4 how many rows an event has
# (of the kind that is made), $5 how many rows there are in all.
_PER_EVENT = """
    WITH made AS (SELECT g, md5($1::text || g)::uuid AS batch, 'camera_' || g % 4 AS camera,
                         $2::timestamptz + g * $3::interval AS at
                  FROM generate_series(1, $5::int) g)"""
_PER_PART = """
    WITH made AS (SELECT g, md5($1::text || e)::uuid AS batch, 'camera_' || e % 4 AS camera,
                         $2::timestamptz + e * $3::interval AS at
                  FROM generate_series(1, $5::int) g, LATERAL (SELECT (g - 1) / $4::int + 1 AS e) event)"""
_BATCHES = f"""
    {_PER_EVENT}
    INSERT INTO batches (id, camera_id, state, started_at, ended_at, opened_at, last_activity_at, closed_at,
                         close_reason, detection_count)
    SELECT batch, camera, 'assessed', at, at + interval '30 s', at, at, at + interval '60 s', 'idle', $4::int
    FROM made"""
_EVENTS = f"""
    {_PER_EVENT}
    INSERT INTO events (batch_id, camera_id, started_at, ended_at, risk_score, risk_level, summary, reasoning,
                        assessment, assessed_by, why, reviewed, object_types, detection_count)
    SELECT batch, camera, at, at + interval '30 s', g % 101,
           (ARRAY['low', 'low', 'medium', 'high', 'critical'])[1 + g % 5],
           'A person and a car at ' || camera, repeat('because of the hour, the place and the company. ', 6),
           'final', 'deterministic', jsonb_build_object(
               'timezone', 'UTC',
               'severity_bands', jsonb_build_object('low_max', 29, 'medium_max', 59, 'high_max', 84),
               'factors', jsonb_build_array(
                   jsonb_build_object('name', 'class', 'points', g % 101, 'because', repeat('x', 200)))),
           g % 3 = 0,
           ARRAY['car', 'person'], $4::int
    FROM made"""
_MEDIA = f"""
    {_PER_PART}
    INSERT INTO media (camera_id, path, size_bytes, modified_ns, content_hash, media_type, state, captured_at,
                       detected_at, width, height, frames)
    SELECT camera, concat($6::text, '/', camera, '/', $1::text, g, '.jpg')::bytea, 200000 + g, g,
           sha256(($1::text || g)::bytea), 'image', 'detected', at, at + interval '1 s', 1920, 1080, 1
    FROM made"""
_DETECTIONS = f"""
    {_PER_PART}
    INSERT INTO detections (media_id, camera_id, batch_id, object_type, confidence, x, y, width, height, detected_at)
    SELECT $6::bigint + (g - 1) / {DETECTIONS_A_FILE}, camera, batch, (ARRAY['person', 'car'])[1 + g % 2],
           0.5 + (g % 50) / 100.0, g % 1000, g % 700, 120, 240, at
    FROM made"""


@dataclass(frozen=True)
class Fill:
    """So many events of so many detections each, evenly from the first moment on."""

    name: str
    """Keeps one filling of a database apart from another."""
    events: int
    detections: int
    first: datetime
    every_seconds: float


def fill(database_url: str, camera_root: Path, *parts: Fill) -> None:
    """Leaves the database vacuumed and its statistics made, as autovacuum does in time."""
    for number in range(CAMERAS):
        (camera_root / f"camera_{number}").mkdir(parents=True, exist_ok=True)
    asyncio.run(_fill(database_url, camera_root, parts))


async def _fill(database_url: str, camera_root: Path, parts: tuple[Fill, ...]) -> None:
    connection = await connect_once(database_url, "bench", command_seconds=_LONG_SECONDS)
    try:
        await connection.execute(
            "INSERT INTO cameras (id, name, folder_path) SELECT 'camera_' || g, 'Camera ' || g, $2 || '/camera_' || g "
            "FROM generate_series(0, $1::int - 1) g ON CONFLICT DO NOTHING",
            CAMERAS,
            str(camera_root),
        )
        for part in parts:
            await _fill_part(connection, camera_root, part)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


async def _fill_part(connection: Connection, camera_root: Path, part: Fill) -> None:
    each = part.detections // part.events
    files_each = max(1, each // DETECTIONS_A_FILE)
    times = (f"{part.name}-", part.first, timedelta(seconds=part.every_seconds))
    await connection.execute(_BATCHES, *times, each, part.events)
    await connection.execute(_EVENTS, *times, each, part.events)
    before = await connection.fetchval("SELECT coalesce(max(id), 0) FROM media")
    await connection.execute(_MEDIA, *times, files_each, part.events * files_each, str(camera_root))
    await connection.execute(_DETECTIONS, *times, each, part.events * each, before + 1)
