"""From a settled file to its committed detections while the system is idle, over the bare model's time."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.bare import BareLoop
from bench.effort import Effort
from bench.figures import Report, Table, median, percentile
from bench.models import Model
from bench.pictures import CAMERAS, Staged, drawn_pictures, staged_pictures
from bench.pipeline import DEBOUNCE_SECONDS, WARM_UP, wait_until_quiet
from bench.rows import rows_of
from bench.running import RunningSystem, SystemFailed, work_folder
from domain.clock import SystemClock

_PAUSE_SECONDS = (0.7, 1.3)
"""After each picture, drawn anew each time, so that they keep no step with a loop that looks once a second."""
_ANSWER_SECONDS = 30.0
_CHANNEL = "bench_media"
_TELL_OF_COMMITS = f"""
    CREATE OR REPLACE FUNCTION bench_tell() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_notify('{_CHANNEL}', NEW.state); RETURN NULL; END $$;
    CREATE OR REPLACE TRIGGER bench_tell AFTER INSERT OR UPDATE OF state ON media
        FOR EACH ROW EXECUTE FUNCTION bench_tell();
"""


@dataclass(frozen=True)
class OnePicture:
    """Moments in seconds since 1970; the last three are when another connection was told of the commit."""

    appeared: float
    queued: float
    detecting: float
    detected: float

    @property
    def settled(self) -> float:
        """It was last written long before it was renamed into the folder: the debounce is all that it waits for."""
        return self.appeared + DEBOUNCE_SECONDS

    @property
    def seconds(self) -> float:
        return self.detected - self.settled


class _Commits:
    """Waits for the states of a file as PostgreSQL tells of them after each commit."""

    def __init__(self) -> None:
        self._told: asyncio.Queue[tuple[str, float]] = asyncio.Queue()

    def tell(self, *arguments: object) -> None:
        """asyncpg's callback: connection, process id, channel, payload."""
        self._told.put_nowait((str(arguments[3]), SystemClock().now().timestamp()))

    async def until_detected(self) -> dict[str, float]:
        """When each state was told of, up to the first `detected`. Raises SystemFailed for a file that fails."""
        seen: dict[str, float] = {}
        while "detected" not in seen:
            try:
                state, at = await asyncio.wait_for(self._told.get(), _ANSWER_SECONDS)
            except TimeoutError:
                raise SystemFailed(f"a picture was not detected within {_ANSWER_SECONDS:.0f} s: {seen}") from None
            if state in ("dead", "duplicate"):
                raise SystemFailed(f"a picture became {state}")
            seen[state] = at
        return seen


def latency(effort: Effort, tell: Callable[[str], None]) -> Report:
    tables: list[Table] = []
    figures: dict[str, Any] = {}
    for model in effort.models:
        tell(f"{effort.single_pictures} pictures one by one, {model.title}")
        bare, single = _measure(effort, model)
        tables.append(_table(model, bare, single))
        figures[model.key] = {
            "bare_s": _spread(bare),
            "settled_to_committed_s": _spread([one.seconds for one in single]),
            "ratio_p50": median([one.seconds for one in single]) / median(bare),
            "ratio_p99": percentile([one.seconds for one in single], 99) / percentile(bare, 99),
        }
    return Report(tables, figures)


def _measure(effort: Effort, model: Model) -> tuple[list[float], list[OnePicture]]:
    with work_folder() as work:
        count = WARM_UP + effort.single_pictures
        staged = staged_pictures(drawn_pictures(effort.cache), work / "staged", "single", count)
        loop = BareLoop(model.weights, model.confidence, lanes=1)
        bare = loop.seconds_each([picture.path for picture in staged[WARM_UP:]])
        with RunningSystem(work, model.weights) as system:
            return bare, asyncio.run(_one_by_one(system, staged))


async def _one_by_one(system: RunningSystem, staged: Sequence[Staged]) -> list[OnePicture]:
    async with rows_of(system) as rows:
        commits = _Commits()
        await rows.connection.execute(_TELL_OF_COMMITS)
        await rows.connection.add_listener(_CHANNEL, commits.tell)
        for picture in staged[:WARM_UP]:
            await _one(system, commits, picture)
        wait_until_quiet(system)
        random = np.random.default_rng(1)
        seen = []
        for picture in staged[WARM_UP:]:
            await asyncio.sleep(float(random.uniform(*_PAUSE_SECONDS)))
            seen.append(await _one(system, commits, picture))
        return seen


async def _one(system: RunningSystem, commits: _Commits, picture: Staged) -> OnePicture:
    picture.grow_old()
    appeared = SystemClock().now().timestamp()
    picture.place(system.cameras)
    seen = await commits.until_detected()
    return OnePicture(appeared, seen["queued"], seen["detecting"], seen["detected"])


def _table(model: Model, bare: Sequence[float], single: Sequence[OnePicture]) -> Table:
    whole = [one.seconds for one in single]
    steps: tuple[tuple[str, list[float]], ...] = (
        ("bare: read, decode, letterbox, run, boxes; one thread", list(bare)),
        ("pipeline: file settled to detection committed", whole),
        ("  settled to row committed (notice, hash, insert)", [one.queued - one.settled for one in single]),
        ("  row to claim committed (doorbell, claim)", [one.detecting - one.queued for one in single]),
        ("  claim to detection committed (decode, model, commit)", [one.detected - one.detecting for one in single]),
    )
    ratio = (
        "pipeline over bare",
        f"{median(whole) / median(bare):.1f} ×",
        f"{percentile(whole, 99) / percentile(bare, 99):.1f} ×",
        "",
    )
    return Table(
        f"Latency of one picture in an idle system, {model.title}: milliseconds",
        ("", "p50", "p99", "largest"),
        [
            *(
                (words, f"{median(taken) * 1e3:.1f}", f"{percentile(taken, 99) * 1e3:.1f}", f"{max(taken) * 1e3:.1f}")
                for words, taken in steps
            ),
            ratio,
        ],
        (
            f"{len(single)} pictures over {len(CAMERAS)} cameras, each {_PAUSE_SECONDS[0]} to {_PAUSE_SECONDS[1]} s "
            "after the one before was done; the bare loop takes the same files while no system runs",
            f"settled: the rename into the folder + {DEBOUNCE_SECONDS} s. These files were last written "
            "seconds before, so the stability rule asks for the debounce only;",
            "a file written in place has settled 2 s after its last change, and from there on the way is the same",
            "committed: a trigger has PostgreSQL tell another connection after the commit; what that takes is included",
        ),
    )


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"p50": median(values), "p99": percentile(values, 99), "largest": max(values)}
