"""Closed batches put straight into the database of a running system, as the aggregator leaves them for assessment."""

from datetime import timedelta
from pathlib import Path

from domain.clock import SystemClock
from storage.postgres import Connection

CAMERAS = 4
_PICTURES = 4
_MADE = """
    WITH made AS (SELECT g, md5($1::text || g)::uuid AS batch, 'bench_' || g % 4 AS camera,
                         $2::timestamptz - g * interval '7 minutes' AS at
                  FROM generate_series(1, $3::int) g)"""
_MEDIA = f"""
    {_MADE}
    INSERT INTO media (camera_id, path, size_bytes, modified_ns, content_hash, media_type, state, captured_at,
                       detected_at, width, height, frames)
    SELECT camera, concat($4::text, '/', camera, '/', $1::text, g, '-', f, '.jpg')::bytea, 200000, g * 10 + f,
           sha256(concat($1::text, g, '-', f)::bytea), 'image', 'detected', at + f * interval '4 s', at, 1920, 1080, 1
    FROM made, generate_series(1, {_PICTURES}) f ORDER BY g, f"""
_BATCHES = f"""
    {_MADE}
    INSERT INTO batches (id, camera_id, state, started_at, ended_at, opened_at, last_activity_at, closed_at,
                         close_reason, detection_count)
    SELECT batch, camera, 'closed', at + interval '4 s', at + interval '16 s', at, at, now(), 'idle', {2 * _PICTURES}
    FROM made"""
# A person who comes closer, and a parked car that the detector is unsure of.
_DETECTIONS = f"""
    {_MADE}, seen AS (SELECT made.*, f, $4::bigint + (g - 1) * {_PICTURES} + f AS media
                      FROM made, generate_series(1, {_PICTURES}) f)
    INSERT INTO detections (media_id, camera_id, batch_id, object_type, confidence, x, y, width, height, detected_at)
    SELECT media, camera, batch, 'person', 0.6 + 0.08 * f, 300 + 40 * f + g % 50, 400, 60 + 20 * f, 150 + 50 * f,
           at + f * interval '4 s' FROM seen
    UNION ALL
    SELECT media, camera, batch, 'car', 0.4 + (g % 7) * 0.05, 1300, 500, 420, 260, at + f * interval '4 s' FROM seen"""


async def insert_closed_batches(connection: Connection, camera_root: Path, name: str, count: int) -> None:
    """All in one commit; seven minutes lie between one batch and the next, the newest is an hour old."""
    newest = SystemClock().now() - timedelta(hours=1)
    async with connection.transaction():
        await connection.execute(
            "INSERT INTO cameras (id, name, folder_path) SELECT 'bench_' || g, 'Bench ' || g, $2 || '/bench_' || g "
            "FROM generate_series(0, $1::int - 1) g ON CONFLICT DO NOTHING",
            CAMERAS,
            str(camera_root),
        )
        await connection.execute("LOCK TABLE media IN EXCLUSIVE MODE")  # the numbers that follow are ours alone
        before = await connection.fetchval("SELECT coalesce(max(id), 0) FROM media")
        await connection.execute(
            "SELECT setval(pg_get_serial_sequence('media', 'id'), greatest($1::bigint, 1), $1 > 0)", before
        )
        await connection.execute(_MEDIA, name, newest, count, str(camera_root))
        await connection.execute(_BATCHES, name, newest, count)
        await connection.execute(_DETECTIONS, name, newest, count, before)
