"""Severity: the four levels that a risk score falls into, and the bands that decide."""

from enum import StrEnum

from pydantic import Field, model_validator

from schemas.frozen import Frozen


class Severity(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for low up to 3 for critical."""
        return ("low", "medium", "high", "critical").index(self.value)


class SeverityBands(Frozen):
    """The highest score of each level but the last; strictly rising, so that 0-100 is covered once."""

    low_max: int = Field(default=29, ge=1, le=98)
    medium_max: int = Field(default=59, ge=2, le=99)
    high_max: int = Field(default=84, ge=3, le=99)

    @model_validator(mode="after")
    def _strictly_rising(self) -> "SeverityBands":
        if not self.low_max < self.medium_max < self.high_max:
            raise ValueError("low_max < medium_max < high_max must hold")
        return self
