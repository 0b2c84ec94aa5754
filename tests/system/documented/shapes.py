"""Shapes of documented answers: which fields there are, of what type and range; more fields than documented are fine.

Fields({"status": OneOf("healthy", "degraded"), "latency_ms": Nullable(NUMBER)})
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol


class Shape(Protocol):
    def faults(self, value: Any, place: str) -> Iterator[str]:
        """What is wrong with this value, each in a sentence."""
        ...


@dataclass(frozen=True)
class Number:
    low: float = float("-inf")
    high: float = float("inf")
    whole: bool = False

    def faults(self, value: Any, place: str) -> Iterator[str]:
        kinds = (int,) if self.whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds):
            yield f"{place} is no {'integer' if self.whole else 'number'}: {value!r}"
        elif not self.low <= value <= self.high:
            yield f"{place} is {value}, not within {self.low} to {self.high}"


@dataclass(frozen=True)
class Text:
    pattern: str = r"(?s).*"

    def faults(self, value: Any, place: str) -> Iterator[str]:
        if not isinstance(value, str) or not re.fullmatch(self.pattern, value):
            yield f"{place} is no text like {self.pattern}: {value!r}"


@dataclass(frozen=True)
class Boolean:
    def faults(self, value: Any, place: str) -> Iterator[str]:
        if not isinstance(value, bool):
            yield f"{place} is neither true nor false: {value!r}"


@dataclass(frozen=True)
class Time:
    """ISO 8601 in UTC with `Z`."""

    def faults(self, value: Any, place: str) -> Iterator[str]:
        if not isinstance(value, str) or not value.endswith("Z"):
            yield f"{place} is no time in UTC with Z: {value!r}"
        elif datetime.fromisoformat(value).tzinfo != UTC:
            yield f"{place} is not in UTC: {value!r}"


class OneOf:
    def __init__(self, *values: Any) -> None:
        self._values = values

    def faults(self, value: Any, place: str) -> Iterator[str]:
        if value not in self._values or isinstance(value, bool) is not isinstance(self._values[0], bool):
            yield f"{place} is {value!r}, none of {self._values}"


@dataclass(frozen=True)
class Nullable:
    shape: Shape

    def faults(self, value: Any, place: str) -> Iterator[str]:
        if value is not None:
            yield from self.shape.faults(value, place)


@dataclass(frozen=True)
class ListOf:
    shape: Shape
    least: int = 0

    def faults(self, value: Any, place: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"{place} is no list: {value!r}"
            return
        if len(value) < self.least:
            yield f"{place} has {len(value)} entries, not {self.least}"
        for number, entry in enumerate(value):
            yield from self.shape.faults(entry, f"{place}[{number}]")


@dataclass(frozen=True)
class MapOf:
    shape: Shape
    has: tuple[str, ...] = ()

    def faults(self, value: Any, place: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{place} is no object: {value!r}"
            return
        for name in self.has:
            if name not in value:
                yield f"{place}.{name} is missing"
        for name, entry in value.items():
            yield from self.shape.faults(entry, f"{place}.{name}")


@dataclass(frozen=True)
class Fields:
    """An object with at least these fields."""

    fields: dict[str, Shape]

    def faults(self, value: Any, place: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{place} is no object: {value!r}"
            return
        for name, shape in self.fields.items():
            if name not in value:
                yield f"{place}.{name} is missing"
            else:
                yield from shape.faults(value[name], f"{place}.{name}")

    def without(self, *names: str) -> "Fields":
        return Fields({name: shape for name, shape in self.fields.items() if name not in names})

    def and_also(self, **fields: Shape) -> "Fields":
        return Fields({**self.fields, **fields})


@dataclass(frozen=True)
class Anything:
    def faults(self, value: Any, place: str) -> Iterator[str]:
        del value, place
        return iter(())


ANYTHING = Anything()
BOOLEAN = Boolean()
COUNT = Number(0, whole=True)
NUMBER = Number()
INTEGER = Number(whole=True)
SIZE = Number(0)
PERCENT = Number(0, 100)
TEXT = Text()
NAME = Text(r".+")
TIME = Time()
UUID_TEXT = Text(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
