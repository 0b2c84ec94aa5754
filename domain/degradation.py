"""How much of the system still works, judged from repeated checks of its services.

unknown ──1 good check──▶ healthy ──3 failed checks in a row──▶ unhealthy ──2 good checks in a row──▶ healthy

    nothing unhealthy               normal
    only what is not critical       degraded
    something critical              minimal
    everything critical             offline
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import Field

from schemas.frozen import Frozen, UtcTime

CRITICAL = frozenset({"postgres", "redis", "yolo26", "file_watcher"})

NEEDS: Mapping[str, frozenset[str]] = {
    "detection": frozenset({"postgres", "file_watcher", "detection_worker", "yolo26", "batch_aggregator"}),
    "analysis": frozenset({"postgres", "analysis_worker"}),
    "events": frozenset({"postgres"}),
    "media": frozenset({"postgres"}),
}
"""What each feature cannot do without. Analysis does without a language model, since the deterministic assessor is
always there, and nothing needs Redis, which only makes things prompt."""


class DegradationPolicy(Frozen):
    failure_threshold: int = Field(default=3, ge=1)
    recovery_threshold: int = Field(default=2, ge=1)


class DegradationMode(StrEnum):
    NORMAL = "normal"
    DEGRADED = "degraded"
    MINIMAL = "minimal"
    OFFLINE = "offline"


class CheckedStatus(StrEnum):
    UNKNOWN = "unknown"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


class ServiceState(Frozen):
    """One service as its checks left it."""

    name: str
    status: CheckedStatus
    last_check: UtcTime | None
    consecutive_failures: int
    error_message: str | None
    """Of the last check, if it failed."""


@dataclass(slots=True)
class _Checks:
    status: CheckedStatus = CheckedStatus.UNKNOWN
    last: datetime | None = None
    failures: int = 0
    successes: int = 0
    error: str | None = None


class Degradation:
    """The judgement over all services that are watched; those nobody has checked yet count as working."""

    def __init__(
        self,
        services: Iterable[str],
        critical: frozenset[str] = CRITICAL,
        needs: Mapping[str, frozenset[str]] = NEEDS,
        policy: DegradationPolicy | None = None,
    ) -> None:
        self._checks = {name: _Checks() for name in services}
        self._critical = critical
        self._needs = needs
        self._policy = policy or DegradationPolicy()

    def observe(self, name: str, healthy: bool, now: datetime, error: str | None = None) -> None:
        """One check's outcome."""
        checks = self._checks.setdefault(name, _Checks())
        checks.last = now
        if healthy:
            checks.failures, checks.error = 0, None
            checks.successes += 1
            if checks.status is CheckedStatus.UNKNOWN or checks.successes >= self._policy.recovery_threshold:
                checks.status = CheckedStatus.HEALTHY
        else:
            checks.successes, checks.error = 0, error
            checks.failures += 1
            if checks.failures >= self._policy.failure_threshold:
                checks.status = CheckedStatus.UNHEALTHY

    def forget(self, name: str) -> None:
        """The service is disabled: it is not missed, and starts from unknown when it comes back."""
        self._checks.pop(name, None)

    @property
    def mode(self) -> DegradationMode:
        failing = self._failing()
        critical = self._critical & self._checks.keys()
        if not failing:
            return DegradationMode.NORMAL
        if not failing & critical:
            return DegradationMode.DEGRADED
        return DegradationMode.OFFLINE if critical <= failing else DegradationMode.MINIMAL

    @property
    def available_features(self) -> tuple[str, ...]:
        failing = self._failing()
        return tuple(feature for feature, needed in self._needs.items() if not needed & failing)

    @property
    def services(self) -> tuple[ServiceState, ...]:
        return tuple(
            ServiceState(
                name=name,
                status=checks.status,
                last_check=checks.last,
                consecutive_failures=checks.failures,
                error_message=checks.error,
            )
            for name, checks in self._checks.items()
        )

    def is_healthy(self, name: str) -> bool:
        """Whether it works as far as anyone knows."""
        return name not in self._failing()

    def _failing(self) -> set[str]:
        return {name for name, checks in self._checks.items() if checks.status is CheckedStatus.UNHEALTHY}
