"""What every process has counted, as rows: reported whole, summed at each scrape, kept when the process is gone."""

import json
import logging
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter, ValidationError

from domain.metric_sums import summed
from schemas.metric import RETIRED, MetricFamily, MetricSnapshot
from storage.postgres import Connection, Pool, PooledConnection, acquired, store_errors

SILENT_UNTIL_RETIRED = timedelta(hours=1)
_LOCK = 0x6873695F6D657472  # "hsi_metr": who retires does it alone
_FAMILIES = TypeAdapter(tuple[MetricFamily, ...])
_log = logging.getLogger(__name__)


class MetricSnapshots:
    """The table `metric_snapshots`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @store_errors()
    async def retire(self, silent: timedelta = SILENT_UNTIL_RETIRED) -> int:
        """See `retire_silent`."""
        async with acquired(self._pool) as connection:
            return await retire_silent(connection, silent)


async def report(connection: Connection | PooledConnection, snapshot: MetricSnapshot, *, known: bool) -> bool:
    """Writes a process's snapshot over its last one; False when a `known` process has been retired meanwhile.

    Then its figures are in the retired sums already: it has to go on under a new name, from nought.
    """
    samples = _FAMILIES.dump_json(snapshot.families).decode()
    if known:
        written: str | None = await connection.fetchval(
            "UPDATE metric_snapshots SET samples = $2::text::jsonb, reported_at = now() WHERE process = $1 "
            "RETURNING process",
            snapshot.process,
            samples,
        )
        return written is not None
    await connection.execute(
        """
        INSERT INTO metric_snapshots (process, component, started_at, reported_at, samples)
        VALUES ($1, $2, $3, now(), $4::text::jsonb)
        ON CONFLICT (process) DO UPDATE SET samples = excluded.samples, reported_at = excluded.reported_at
        """,
        snapshot.process,
        snapshot.component,
        snapshot.started_at,
        samples,
    )
    return True


async def touch(connection: Connection | PooledConnection, process: str) -> bool:
    """The process lives and has counted nothing new; False when it has been retired."""
    query = "UPDATE metric_snapshots SET reported_at = now() WHERE process = $1 RETURNING process"
    return await connection.fetchval(query, process) is not None


async def retire_silent(connection: Connection | PooledConnection, silent: timedelta = SILENT_UNTIL_RETIRED) -> int:
    """Adds the figures of processes that have said nothing for so long to the retired sums, in one transaction.

    Answers how many; 0 while somebody else is at it. A scrape sees all of it or nothing, so no sum falls.
    """
    async with connection.transaction():
        if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _LOCK):
            return 0
        gone = await connection.fetch(
            """
            DELETE FROM metric_snapshots WHERE process <> $1 AND reported_at < now() - $2::interval
            RETURNING samples::text AS samples
            """,
            RETIRED,
            silent,
        )
        if not gone:
            return 0
        past = await connection.fetchval(
            "SELECT samples::text FROM metric_snapshots WHERE process = $1 FOR UPDATE", RETIRED
        )
        sums = families_of(map(json.loads, [*(row["samples"] for row in gone), past or "[]"]))
        await connection.execute(
            """
            INSERT INTO metric_snapshots (process, component, started_at, reported_at, samples)
            VALUES ($1, '', now(), now(), $2::text::jsonb)
            ON CONFLICT (process) DO UPDATE SET samples = excluded.samples, reported_at = excluded.reported_at
            """,
            RETIRED,
            _FAMILIES.dump_json(sums).decode(),
        )
        return len(gone)


def families_of(stored: Iterable[Any]) -> tuple[MetricFamily, ...]:
    """The sums over snapshots. What another version of this program wrote and we cannot read is left out, and said."""
    read: list[Sequence[MetricFamily]] = []
    for samples in stored:
        try:
            read.append(_FAMILIES.validate_python(samples))
        except ValidationError as error:
            _log.error("a process's figures cannot be read and are left out: %s", error.errors()[0]["msg"])
    return summed(read)
