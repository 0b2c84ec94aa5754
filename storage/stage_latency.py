"""The pipeline's latencies, computed from the timestamps of its rows and packed by minute.

| series            | from                                   | to                                  | a sample ends    |
|-------------------|----------------------------------------|-------------------------------------|------------------|
| watch             | the watcher found the file complete    | its row                             | media detected   |
| watch_to_detect   | its row                                | a worker claims it                  | media detected   |
| detect            | a worker claims it                     | the detector has answered           | media detected   |
| detect_to_batch   | the detector has answered              | detections and batch are committed  | media detected   |
| batch             | the batch was opened                   | it was closed                       | event stored     |
| batch_to_analyze  | the batch was closed                   | a worker claims it                  | event stored     |
| analyze           | a worker claims it                     | the event is stored                 | event stored     |
| total_pipeline    | the row of the batch's first file      | the event is stored                 | event stored     |
| event_to_delivery | the event is stored                    | the first notification is delivered | that delivery    |

Rows that died have no sample, and neither have those that took a second try: their first one ended in a time-out, which
says nothing of the stage.
"""

from datetime import datetime, timedelta

from schemas.latency import Stage
from storage.postgres import Pool, store_errors

RECOMPUTED = timedelta(minutes=10)
"""A transaction bears the time at which it began: one that commits later than so is given up by PostgreSQL itself."""
AT_ONCE = timedelta(hours=1)


class StageLatencies:
    """Fills the stages' series of `latency_minutes`; done again it makes the same of the same rows."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @store_errors()
    async def newest(self) -> datetime | None:
        """The last minute that any stage has samples in."""
        newest: datetime | None = await self._pool.fetchval(
            "SELECT max(minute) FROM latency_minutes WHERE series = ANY($1)", [stage.value for stage in Stage]
        )
        return newest

    @store_errors()
    async def roll_up(self, since: datetime, until: datetime) -> None:
        """Computes every minute from the one of `since` up to `until`; one whose rows are the same is left alone."""
        await self._pool.execute(
            """
            WITH looked_at AS (
                SELECT detected_at AS ended, settled_at, received_at, started_at, found_at FROM media
                WHERE state = 'detected' AND attempts <= 1 AND detected_at >= date_trunc('minute', $1::timestamptz)
                  AND detected_at < $2
            ), stored AS (
                SELECT e.created_at AS ended, b.id AS batch_id, b.opened_at, b.closed_at, b.analysis_started_at
                FROM events e JOIN batches b ON b.id = e.batch_id
                WHERE b.attempts <= 1 AND e.created_at >= date_trunc('minute', $1::timestamptz) AND e.created_at < $2
            ), heard AS (
                SELECT e.created_at AS stored_at, min(d.delivered_at) AS ended
                FROM events e JOIN alerts a ON a.event_id = e.id JOIN deliveries d ON d.alert_id = a.id
                WHERE d.status = 'delivered' AND e.id IN (
                    SELECT lately.event_id FROM deliveries told JOIN alerts lately ON lately.id = told.alert_id
                    WHERE told.status = 'delivered' AND told.delivered_at < $2
                      AND told.delivered_at >= date_trunc('minute', $1::timestamptz)
                ) GROUP BY e.id
            ), samples AS (
                SELECT v.series, m.ended, v.took FROM looked_at m CROSS JOIN LATERAL (VALUES
                    ('watch', m.received_at - m.settled_at), ('watch_to_detect', m.started_at - m.received_at),
                    ('detect', m.found_at - m.started_at), ('detect_to_batch', m.ended - m.found_at)
                ) AS v(series, took)
                UNION ALL
                SELECT v.series, s.ended, v.took FROM stored s CROSS JOIN LATERAL (VALUES
                    ('batch', s.closed_at - s.opened_at), ('batch_to_analyze', s.analysis_started_at - s.closed_at),
                    ('analyze', s.ended - s.analysis_started_at),
                    ('total_pipeline', s.ended - (
                        SELECT min(m.received_at) FROM media m WHERE m.attempts <= 1
                        AND m.id IN (SELECT d.media_id FROM detections d WHERE d.batch_id = s.batch_id)))
                ) AS v(series, took)
                UNION ALL
                SELECT 'event_to_delivery', ended, ended - stored_at FROM heard
                WHERE ended >= date_trunc('minute', $1::timestamptz) AND ended < $2
            ), numbers AS (
                SELECT series, date_trunc('minute', ended) AS minute,
                       floor(date_part('second', ended) * 1000)::int - 30000 AS moment,
                       least(round(greatest(date_part('epoch', took), 0) * 20000), 2147483647)::int AS ticks
                FROM samples WHERE took > interval '-1 second'   -- two machines' clocks may differ a little
            )
            INSERT INTO latency_minutes AS l (series, minute, moments, durations)
            SELECT series, minute, string_agg(int2send(moment::int2), ''::bytea ORDER BY moment, ticks),
                   string_agg(int4send(ticks), ''::bytea ORDER BY moment, ticks)
            FROM numbers GROUP BY series, minute
            ON CONFLICT (series, minute) DO UPDATE SET moments = excluded.moments, durations = excluded.durations
            WHERE l.durations <> excluded.durations OR l.moments <> excluded.moments
            """,
            since,
            until,
        )
