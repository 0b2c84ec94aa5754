"""Everything that one scrape shows, read in one statement and so at one moment, over all processes and rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from schemas.metric import RETIRED, MetricFamily
from storage.metric_snapshots import families_of
from storage.postgres import Pool, store_errors

ACTIVE_EVENTS_SPAN = timedelta(hours=24)
ALERTS_SPAN = timedelta(hours=24)
PROCESS_LIVES = timedelta(seconds=150)
SERVICE_SEEN = timedelta(seconds=60)
MOST_GPUS = 64
MOST_SERVICES = 100
MOST_COMPONENTS = 100


@dataclass(frozen=True)
class GpuFigures:
    node: str
    index: int
    utilization: float | None
    memory_used_mb: int | None
    memory_total_mb: int | None
    temperature: float | None
    power_watts: float | None


@dataclass(frozen=True)
class Scrape:
    counted: Sequence[MetricFamily]
    """Counters and histograms, summed over every process that ever was."""
    processes: Mapping[str, int]
    """By component, those that have reported of late."""
    active_events: int
    queued: Mapping[str, int]
    """Rows that wait or are in work, by stage."""
    dead: Mapping[str, int]
    open_batches: int
    cameras: Mapping[str, int]
    alerts: Mapping[str, int]
    services: Mapping[str, str]
    """The status of those that the supervisor has looked at of late."""
    gpus: Sequence[GpuFigures]
    """The newest sample of each; none without a GPU."""


class MetricScrapes:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @store_errors()
    async def scrape(self, now: datetime, gpu_fresh: timedelta) -> Scrape:
        """A GPU's sample that is older than `gpu_fresh` says nothing of now."""
        row = await self._pool.fetchrow(
            _SCRAPE,
            RETIRED,
            PROCESS_LIVES,
            now - ACTIVE_EVENTS_SPAN,
            now - ALERTS_SPAN,
            now - SERVICE_SEEN,
            now - gpu_fresh,
        )
        assert row is not None, "a SELECT without FROM has a row"
        return Scrape(
            counted=families_of(row["samples"] or []),
            processes=row["processes"] or {},
            active_events=row["active_events"],
            queued={"detection": row["media"], "analysis": row["batches"], "notification": row["deliveries"]}
            | {"reassessment": row["reassessments"]},
            dead={
                "detection_queue": row["dead_media"],
                "analysis_queue": row["dead_batches"],
                "notification_queue": row["dead_deliveries"],
            },
            open_batches=row["open_batches"],
            cameras=row["cameras"] or {},
            alerts=row["alerts"] or {},
            services=row["services"] or {},
            gpus=[_gpu(one) for one in row["gpus"] or []],
        )


def _gpu(one: dict[str, Any]) -> GpuFigures:
    return GpuFigures(
        one["node"],
        one["gpu_index"],
        one["utilization"],
        one["memory_used"],
        one["memory_total"],
        one["temperature"],
        one["power_usage"],
    )


_SCRAPE = f"""
SELECT
    (SELECT json_agg(samples ORDER BY process = $1, reported_at DESC) FROM metric_snapshots) AS samples,
    (SELECT json_object_agg(component, n) FROM (
        SELECT component, count(*) AS n FROM metric_snapshots
        WHERE process <> $1 AND reported_at > now() - $2::interval
        GROUP BY component ORDER BY component LIMIT {MOST_COMPONENTS}) AS p) AS processes,
    (SELECT count(*) FROM events WHERE started_at >= $3 AND NOT reviewed) AS active_events,
    (SELECT count(*) FROM media WHERE state IN ('queued', 'detecting')) AS media,
    (SELECT count(*) FROM batches WHERE state IN ('closed', 'assessing')) AS batches,
    (SELECT count(*) FROM deliveries WHERE status IN ('queued', 'sending')) AS deliveries,
    (SELECT count(*) FROM reassessments WHERE state IN ('waiting', 'assessing')) AS reassessments,
    (SELECT count(*) FROM media WHERE state = 'dead' AND cleared_at IS NULL) AS dead_media,
    (SELECT count(*) FROM batches WHERE state = 'dead' AND cleared_at IS NULL) AS dead_batches,
    (SELECT count(*) FROM deliveries WHERE status = 'dead' AND cleared_at IS NULL) AS dead_deliveries,
    (SELECT count(*) FROM batches WHERE state = 'open') AS open_batches,
    (SELECT json_object_agg(status, n) FROM (
        SELECT status, count(*) AS n FROM cameras WHERE deleted_at IS NULL GROUP BY status) AS c) AS cameras,
    (SELECT json_object_agg(status, n) FROM (
        SELECT status, count(*) AS n FROM alerts WHERE created_at >= $4 GROUP BY status) AS a) AS alerts,
    (SELECT json_object_agg(name, status) FROM (
        SELECT name, status FROM services WHERE checked_at >= $5 ORDER BY name LIMIT {MOST_SERVICES}) AS s) AS services,
    (SELECT json_agg(g) FROM (
        SELECT DISTINCT ON (node, gpu_index) node, gpu_index, utilization, memory_used, memory_total, temperature,
               power_usage
        FROM gpu_stats WHERE recorded_at >= $6
        ORDER BY node, gpu_index, recorded_at DESC LIMIT {MOST_GPUS}) AS g) AS gpus
"""
