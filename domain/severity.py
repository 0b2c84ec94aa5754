"""Severity: which level a risk score falls into, and the table that explains the levels; the one place that knows."""

from schemas.frozen import Frozen
from schemas.severity import Severity, SeverityBands

MAX_SCORE = 100


class SeverityDefinition(Frozen):
    """One level as a person is shown it."""

    severity: Severity
    label: str
    description: str
    color: str
    """CSS hexadecimal."""
    priority: int
    """0 is looked at first."""
    min_score: int
    max_score: int


_SHOWN = {
    Severity.LOW: ("Low", "Routine activity, no concern", "#22c55e"),
    Severity.MEDIUM: ("Medium", "Notable activity, worth reviewing", "#eab308"),
    Severity.HIGH: ("High", "Concerning activity, review soon", "#f97316"),
    Severity.CRITICAL: ("Critical", "Immediate attention required", "#ef4444"),
}


def level(score: int, bands: SeverityBands) -> Severity:
    """The level of a score from 0 to 100; any other score is a defect of its maker and raises ValueError."""
    if not 0 <= score <= MAX_SCORE:
        raise ValueError(f"a risk score is from 0 to {MAX_SCORE}, not {score}")
    if score <= bands.low_max:
        return Severity.LOW
    if score <= bands.medium_max:
        return Severity.MEDIUM
    if score <= bands.high_max:
        return Severity.HIGH
    return Severity.CRITICAL


def definitions(bands: SeverityBands) -> tuple[SeverityDefinition, ...]:
    """All four levels from low to critical; their ranges cover 0 to 100 without gap or overlap."""
    highest = (bands.low_max, bands.medium_max, bands.high_max, MAX_SCORE)
    lowest = (0, *(score + 1 for score in highest[:-1]))
    return tuple(
        SeverityDefinition(
            severity=severity,
            label=label,
            description=description,
            color=color,
            priority=Severity.CRITICAL.rank - severity.rank,
            min_score=lowest[severity.rank],
            max_score=highest[severity.rank],
        )
        for severity, (label, description, color) in _SHOWN.items()
    )
