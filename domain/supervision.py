"""When a service that failed is started again.

dead, or failing twice in a row ──5 s, then 10 s, 20 s ... 300 s──▶ restart ──healthy for 300 s──▶ back to 5 s
"""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import Field

from schemas.frozen import Frozen


class SupervisionPolicy(Frozen):
    first_seconds: float = Field(default=5.0, ge=0)
    """From noticing a failure to the first restart; doubled for each restart after it."""
    most_seconds: float = Field(default=300.0, ge=0)
    failed_probes: int = Field(default=2, ge=1)
    """So many in a row before what is alive is restarted: one may be a long computation or a lost message."""
    stable_seconds: float = Field(default=300.0, ge=0)
    """A service that was healthy for so long without a break is trusted again."""


class Observation(StrEnum):
    """What a probe found."""

    HEALTHY = "healthy"
    STARTING = "starting"
    """Alive and not ready, as it should be for now."""
    FAILING = "failing"
    """Alive, and unhealthy or without an answer."""
    DEAD = "dead"
    """Not there: no second probe is needed."""


@dataclass(frozen=True, slots=True)
class Restart:
    """Start it again now; counts as done."""

    number: int
    """1 for the first since the service was last trusted."""


@dataclass(frozen=True, slots=True)
class Wait:
    """It has failed and is to be started again, but not before this moment."""

    until: float


@dataclass(frozen=True, slots=True)
class Nothing:
    """Leave it alone."""


class Supervision:
    """One service's failures and restarts. Times are seconds by a clock that never goes back."""

    def __init__(self, policy: SupervisionPolicy | None = None) -> None:
        self._policy = policy or SupervisionPolicy()
        self.failures = 0
        """Failed probes in a row."""
        self.restarts = 0
        """Since the service was last trusted."""
        self._failing_since: float | None = None
        self._healthy_since: float | None = None

    def observe(self, observation: Observation, now: float, enabled: bool = True) -> Restart | Wait | Nothing:
        """What to do after this probe; a service that is disabled is left alone and forgiven."""
        if not enabled:
            self.forgive()
            return Nothing()
        if observation is Observation.HEALTHY:
            self._be_healthy(now)
            return Nothing()
        self._healthy_since = None
        if observation is Observation.STARTING:
            self._end_failure()
            return Nothing()
        self.failures += 1
        if self._failing_since is None:
            self._failing_since = now
        if observation is Observation.FAILING and self.failures < self._policy.failed_probes:
            return Nothing()
        return self._restart_when_due(now)

    def forgive(self) -> None:
        """Forget all failures: it was disabled, enabled or restarted by hand."""
        self.restarts = 0
        self._healthy_since = None
        self._end_failure()

    def _restart_when_due(self, now: float) -> Restart | Wait:
        due = self.next_due()
        if due is not None and now < due:
            return Wait(due)
        self.restarts += 1
        self._end_failure()
        return Restart(self.restarts)

    def next_due(self) -> float | None:
        """When a restart is due if the service keeps failing; None while it does not."""
        if self._failing_since is None:
            return None
        doubled = self._policy.first_seconds * 2.0 ** min(self.restarts, 64)
        return self._failing_since + min(self._policy.most_seconds, doubled)

    def _be_healthy(self, now: float) -> None:
        self._end_failure()
        if self._healthy_since is None:
            self._healthy_since = now
        if now - self._healthy_since >= self._policy.stable_seconds:
            self.restarts = 0

    def _end_failure(self) -> None:
        self.failures = 0
        self._failing_since = None
