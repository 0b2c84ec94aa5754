"""Figures as people read them: percentiles, and tables with one width a column."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


def percentile(values: Sequence[float], percent: float) -> float:
    """Between the two nearest of the sorted values, by straight line; raises ValueError where there are none."""
    if not values:
        raise ValueError("there is no percentile of no values")
    if not 0 <= percent <= 100:
        raise ValueError(f"a percentile is between 0 and 100, not {percent}")
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def median(values: Sequence[float]) -> float:
    return percentile(values, 50)


@dataclass(frozen=True)
class Table:
    """Words in the first column, figures in the others."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    notes: tuple[str, ...] = ()

    def text(self) -> str:
        """For a terminal, and for a page in a fixed-width block."""
        lines = [self.columns, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.columns))]
        drawn = [self._line(line, widths) for line in lines]
        drawn.insert(1, "  ".join("─" * width for width in widths))
        return "\n".join([f"## {self.title}", *drawn, *(f"   {note}" for note in self.notes)])

    def _line(self, line: Sequence[str], widths: Sequence[int]) -> str:
        first, *rest = line
        cells = [first.ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        return "  ".join(cells).rstrip()


@dataclass(frozen=True)
class Report:
    """What one benchmark found: tables for people, figures for programs."""

    tables: Sequence[Table]
    figures: dict[str, Any] = field(default_factory=dict)
