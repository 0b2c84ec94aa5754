"""What an operator may change while the system runs: configuration, severity thresholds, anomaly detection."""

from fastapi import APIRouter

from deployments.api.deps import CallerDep, ConfigurationDep
from deployments.api.examples.configuration import ANOMALY_CONFIG, SEVERITY, SYSTEM_CONFIG
from deployments.api.responses import problems, shows
from deployments.api.views.configuration import (
    AnomalyConfig,
    AnomalyConfigChange,
    NewSeverityBands,
    SeverityView,
    SystemConfig,
    SystemConfigChange,
)

router = APIRouter(prefix="/api/system", tags=["configuration"])


@router.get("/config", responses=shows(SYSTEM_CONFIG) | problems(503))
async def get_config(configuration: ConfigurationDep) -> SystemConfig:
    """The configuration in force: the settings, with the changes that were made over them. It holds no secret."""
    return await configuration.system()


@router.patch("/config", responses=shows(SYSTEM_CONFIG) | problems(400, 413, 415, 422, 503))
async def update_config(body: SystemConfigChange, configuration: ConfigurationDep, caller: CallerDep) -> SystemConfig:
    """Changes the fields that are named; a field that is unknown, cannot be changed or is null is refused.

    It holds from the next picture, batch or clean-up on, in every process, and after a restart. Both batch times are
    a day at most. The audit trail keeps each old and new value (`settings_changed`), and nothing when none differs.
    """
    return await configuration.change_system(body, caller)


@router.get("/severity", responses=shows(SEVERITY) | problems(503))
async def get_severity(configuration: ConfigurationDep) -> SeverityView:
    """What each severity level means, and which risk scores fall into it; together they cover 0 to 100 once."""
    return await configuration.severity()


@router.put("/severity", responses=shows(SEVERITY) | problems(400, 413, 415, 422, 503))
async def update_severity(body: NewSeverityBands, configuration: ConfigurationDep, caller: CallerDep) -> SeverityView:
    """Sets all three thresholds. Out of range is 422; in range and not strictly rising is 400.

    They hold from the next event on; events that are stored keep the level that they were given. The audit trail
    keeps the old and new values (`settings_changed`).
    """
    return await configuration.change_severity(body, caller)


@router.get("/anomaly-config", responses=shows(ANOMALY_CONFIG) | problems(503))
async def get_anomaly_config(configuration: ConfigurationDep) -> AnomalyConfig:
    """From when on an appearance counts as unusual for its camera and hour."""
    return await configuration.anomaly()


@router.patch("/anomaly-config", responses=shows(ANOMALY_CONFIG) | problems(400, 413, 415, 422, 503))
async def update_anomaly_config(
    body: AnomalyConfigChange, configuration: ConfigurationDep, caller: CallerDep
) -> AnomalyConfig:
    """Changes `threshold_stdev` and `min_samples`; the other two shape stored history, so naming them is refused.

    It holds from the next event on. The audit trail keeps the old and new values (`config_updated`).
    """
    return await configuration.change_anomaly(body, caller)
