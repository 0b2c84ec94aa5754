"""Whether a person's wish about a service can be followed, and if not, why not."""

from dataclasses import dataclass

from schemas.service import ServiceAction, ServiceStatus

_LIVES = {
    ServiceStatus.RUNNING: "is running already",
    ServiceStatus.STARTING: "is being started already",
    ServiceStatus.UNHEALTHY: "is running, though it cannot do its work: restart it",
}


@dataclass(frozen=True)
class Limits:
    """What cannot be asked of a service, each with the reason for a person."""

    not_started_because: str | None = None
    """Such as a store that runs elsewhere."""
    not_disabled_because: str | None = None
    """Such as a service that the API itself cannot be without."""


NO_LIMITS = Limits()


def refusal(
    action: ServiceAction, name: str, status: ServiceStatus, enabled: bool, limits: Limits = NO_LIMITS
) -> str | None:
    """Why not, in a sentence; None when it can be done. Enabling what is enabled is no mistake, and changes nothing."""
    if status is ServiceStatus.NOT_CONFIGURED:
        return f"{name} is not configured, so there is nothing to {action.value}"
    if action is ServiceAction.ENABLE:
        return None
    if action is ServiceAction.DISABLE:
        return limits.not_disabled_because
    if not enabled:
        return f"{name} is disabled: enable it first"
    if limits.not_started_because is not None:
        return limits.not_started_because
    if action is ServiceAction.START and status in _LIVES:
        return f"{name} {_LIVES[status]}"
    return None
