"""The notification filter: whether an alert's deliveries are sent, or why not.

Asked once an alert, when its event is stored. The rule has decided that there is an alert; these preferences only
decide whether anyone is disturbed by it.
"""

from datetime import datetime

from domain.alert_rules import EventFacts
from domain.plain_text import plain
from domain.quiet_hours import quiet_period
from schemas.notification import NotificationPolicy
from schemas.severity import Severity

_NAME_LIMIT = 100


def suppressed(
    policy: NotificationPolicy, facts: EventFacts, at: datetime, alert_severity: Severity | None = None
) -> str | None:
    """Why nothing is sent at the aware moment `at`, for a person to read; None when it is sent.

    Filters and thresholds look at the event's level and score. Quiet hours are passed, when so configured, by a
    critical event and by a critical alert (`alert_severity`, its rule's), whichever says so.
    """
    if not policy.preferences.enabled:
        return "notifications are switched off"
    return (
        _because_of_camera(policy, facts)
        or _because_of_level(policy, facts)
        or _because_of_quiet_hours(policy, Severity.CRITICAL in (facts.severity, alert_severity), at)
    )


def _because_of_camera(policy: NotificationPolicy, facts: EventFacts) -> str | None:
    setting = policy.cameras.get(facts.camera_id)
    if setting is None:
        return None
    if not setting.enabled:
        return f"camera {plain(facts.camera_id, _NAME_LIMIT)} is muted"
    if facts.risk_score < setting.risk_threshold:
        return f"score {facts.risk_score} is below this camera's threshold of {setting.risk_threshold}"
    return None


def _because_of_level(policy: NotificationPolicy, facts: EventFacts) -> str | None:
    wanted = policy.preferences.risk_filters
    if facts.severity in wanted:
        return None
    return f"level {facts.severity} is not among the levels to be told of ({', '.join(wanted) or 'none'})"


def _because_of_quiet_hours(policy: NotificationPolicy, critical: bool, at: datetime) -> str | None:
    if critical and policy.preferences.critical_passes_quiet_hours:
        return None
    period = quiet_period(policy.quiet_hours, at, policy.timezone)
    if period is None:
        return None
    return f"quiet hours '{plain(period.label, _NAME_LIMIT)}' until {period.end_time}"
