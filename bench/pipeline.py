"""One burst of pictures through a running system, from the first file's arrival to the last commit."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from time import sleep

from bench.pictures import CAMERAS, Staged
from bench.processes import CpuMeter, CpuUse
from bench.rows import Rows, rows_of
from bench.running import RunningSystem
from domain.clock import SystemClock
from domain.file_stability import StabilityPolicy

WARM_UP = 4 * len(CAMERAS)
DEBOUNCE_SECONDS = StabilityPolicy().debounce_seconds
_QUIET_CORES = 0.35
_QUIET_PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class PipelineRun:
    """Times in seconds after the first file could be seen in its folder."""

    pictures: int
    first_row: float
    last_row: float
    last_commit: float
    detections: int
    cpu: CpuUse

    @property
    def pictures_a_second(self) -> float:
        """Nothing excluded."""
        return self.pictures / self.last_commit

    @property
    def without_debounce(self) -> float:
        """Without the half second for which any new file must be left alone before it may be taken."""
        return self.pictures / (self.last_commit - DEBOUNCE_SECONDS)

    @property
    def from_first_row(self) -> float:
        return self.pictures / (self.last_commit - self.first_row)


async def run_pipeline(
    system: RunningSystem, staged: Sequence[Staged], around: AbstractContextManager[None] | None = None
) -> PipelineRun:
    """The first WARM_UP pictures go ahead and do not count; then, inside `around`, all others at once."""
    async with rows_of(system) as rows:
        await _warm_up(system, rows, staged[:WARM_UP])
        wait_until_quiet(system)
        counted, after = staged[WARM_UP:], await rows.newest()
        for picture in counted:
            picture.grow_old()
        with around or nullcontext():
            meter = CpuMeter(system.pid, system.data_dir)
            began = SystemClock().now().timestamp()
            for picture in counted:
                picture.place(system.cameras)
            committed = await rows.until_detected(after, len(counted))
            cpu = meter.read()
        first_row, last_row = await rows.received(after)
        return PipelineRun(
            pictures=len(counted),
            first_row=first_row - began,
            last_row=last_row - began,
            last_commit=committed - began,
            detections=await rows.detections(after),
            cpu=cpu,
        )


async def _warm_up(system: RunningSystem, rows: Rows, staged: Sequence[Staged]) -> None:
    """Connections are opened, cameras known, the model's memory laid out, as in a system that has run for a while."""
    after = await rows.newest()
    for picture in staged:
        picture.grow_old()
        picture.place(system.cameras)
    await rows.until_detected(after, len(staged))


def wait_until_quiet(system: RunningSystem) -> None:
    """A system that has just become ready is still busy with itself for some seconds."""
    clock = SystemClock()
    deadline = clock.monotonic() + _QUIET_PATIENCE_SECONDS
    while clock.monotonic() < deadline:
        meter = CpuMeter(system.pid, system.data_dir)
        sleep(1.0)
        use = meter.read()
        if use.total / use.seconds < _QUIET_CORES:
            return
