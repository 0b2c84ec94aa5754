"""Latency samples, packed by minute: exact percentiles of a million of them in one read."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import asyncpg
import numpy as np
from numpy.typing import NDArray

from domain.latency import TICKS_A_MILLISECOND, Buckets, Ticks, bucket_figures, figures
from schemas.latency import LatencyBucket, LatencyFigures
from storage.postgres import Pool, store_errors

KEPT = timedelta(hours=25)
_MINUTE = timedelta(minutes=1)
_HALF_MINUTE_MS = 30_000
_MOST_TICKS = 2**31 - 1


class LatencySamples:
    """The table `latency_minutes`. A series is a stage of the pipeline, or `model:<name>`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @store_errors()
    async def add(self, series: str, samples: Sequence[tuple[datetime, float]]) -> None:
        """Adds samples, each as the moment at which it ended and the milliseconds that it took.

        What is added twice counts twice; a failure has added nothing. Give many at once: each call writes the minute
        anew.
        """
        packed = _packed(samples)
        await self._pool.execute(
            """
            INSERT INTO latency_minutes AS l (series, minute, moments, durations)
            SELECT $1, * FROM unnest($2::timestamptz[], $3::bytea[], $4::bytea[]) AS m(minute, moments, durations)
            ORDER BY m.minute
            ON CONFLICT (series, minute) DO UPDATE
            SET moments = l.moments || excluded.moments, durations = l.durations || excluded.durations
            """,
            series,
            [minute for minute, _, _ in packed],
            [moments for _, moments, _ in packed],
            [durations for _, _, durations in packed],
        )

    async def figures(self, series: Sequence[str], since: datetime) -> Mapping[str, LatencyFigures | None]:
        """Of every sample that ended after `since`; None for a series without any."""
        found = await asyncio.gather(*(self._figures(one, since) for one in series))
        return dict(zip(series, found, strict=True))

    async def history(
        self, series: Sequence[str], since: datetime, until: datetime, bucket_seconds: int
    ) -> Mapping[str, Sequence[LatencyBucket]]:
        """Every bucket from the one that holds `since` to the one that holds `until`, oldest first."""
        buckets = Buckets.over(since, until, bucket_seconds)
        found = await asyncio.gather(*(self._history(one, buckets) for one in series))
        return dict(zip(series, found, strict=True))

    @store_errors()
    async def prune(self, now: datetime) -> int:
        """Drops what no window reaches any more."""
        done = await self._pool.execute("DELETE FROM latency_minutes WHERE minute < $1", now - KEPT)
        return int(done.split()[-1])

    async def _figures(self, series: str, since: datetime) -> LatencyFigures | None:
        """The moments are read of the first minute only: the window cuts through no other."""
        rows = await self._minutes(
            """
            SELECT minute, durations, CASE WHEN minute < $2 THEN moments END AS moments
            FROM latency_minutes WHERE series = $1 AND minute > $2::timestamptz - interval '1 minute'
            """,
            series,
            since,
        )
        return await asyncio.to_thread(_figures_of, rows, since)

    async def _history(self, series: str, buckets: Buckets) -> Sequence[LatencyBucket]:
        """The moments are read only where buckets cut through minutes."""
        whole = buckets.length_seconds % 60 == 0
        rows = await self._minutes(
            f"""
            SELECT minute, durations, {"NULL AS " if whole else ""}moments
            FROM latency_minutes WHERE series = $1 AND minute > $2::timestamptz - interval '1 minute'
            """,
            series,
            buckets.first,
        )
        return await asyncio.to_thread(_history_of, rows, buckets)

    @store_errors()
    async def _minutes(self, query: str, series: str, since: datetime) -> list[asyncpg.Record]:
        return await self._pool.fetch(query, series, since)


def _packed(samples: Sequence[tuple[datetime, float]]) -> list[tuple[datetime, bytes, bytes]]:
    """By minute: the moments and the durations as they are stored."""
    minutes: dict[datetime, list[tuple[int, int]]] = {}
    for ended, milliseconds in samples:
        minute = ended.astimezone(UTC).replace(second=0, microsecond=0)
        moment = (ended - minute) // timedelta(milliseconds=1) - _HALF_MINUTE_MS
        ticks = round(min(max(0.0, milliseconds * TICKS_A_MILLISECOND), _MOST_TICKS))
        minutes.setdefault(minute, []).append((moment, ticks))
    return [
        (minute, np.array([m for m, _ in own], ">i2").tobytes(), np.array([t for _, t in own], ">i4").tobytes())
        for minute, own in minutes.items()
    ]


def _figures_of(rows: Sequence[asyncpg.Record], since: datetime) -> LatencyFigures | None:
    parts = []
    for row in rows:
        ticks = np.frombuffer(row["durations"], ">i4")
        parts.append(ticks if row["moments"] is None else ticks[_seconds(row) > since.timestamp()])
    return figures(_joined(parts))


def _history_of(rows: Sequence[asyncpg.Record], buckets: Buckets) -> tuple[LatencyBucket, ...]:
    ticks = [np.frombuffer(row["durations"], ">i4") for row in rows]
    numbers = [np.empty(0, np.int64)]
    for row, own in zip(rows, ticks, strict=True):
        if row["moments"] is None:
            numbers.append(np.repeat(buckets.numbers(np.array([row["minute"].timestamp()])), len(own)))
        else:
            numbers.append(buckets.numbers(_seconds(row)))
    found = bucket_figures(_joined(ticks), np.concatenate(numbers), buckets.count)
    return tuple(
        LatencyBucket.model_construct(timestamp=start, figures=own)
        for start, own in zip(buckets.starts, found, strict=True)
    )


def _joined(parts: Sequence[Ticks]) -> Ticks:
    """In this machine's byte order, as sorting wants it."""
    joined: Ticks = np.concatenate([np.empty(0, ">i4"), *parts]).astype(np.int32)
    return joined


def _seconds(row: asyncpg.Record) -> NDArray[np.float64]:
    """When each sample of a minute ended, since 1970."""
    middle: float = row["minute"].timestamp() + _HALF_MINUTE_MS / 1000
    return middle + np.frombuffer(row["moments"], ">i2") / 1000
