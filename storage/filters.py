"""The WHERE clause of a list: conditions that are set, their arguments, and the place from which a page goes on."""

from collections.abc import Sequence


class Filters:
    """Collects conditions and numbers their arguments; a value never becomes part of the text.

    filters = Filters()
    filters.equal("camera_id", None).equal("reviewed", False).add("risk_score >= {}", 40)
    filters.where        # WHERE reviewed = $1 AND risk_score >= $2
    filters.arguments    # [False, 40]
    """

    def __init__(self) -> None:
        self._conditions: list[str] = []
        self.arguments: list[object] = []

    def add(self, condition: str, *values: object) -> "Filters":
        """A condition with one `{}` for each value; a condition without a value stands as it is."""
        self._conditions.append(condition.format(*[self.argument(value) for value in values]))
        return self

    def argument(self, value: object) -> str:
        """The placeholder of one more argument, as for LIMIT."""
        self.arguments.append(value)
        return f"${len(self.arguments)}"

    def equal(self, column: str, value: object | None) -> "Filters":
        """No condition when the value is None."""
        return self if value is None else self.add(f"{column} = {{}}", value)

    def between(self, column: str, first: object | None, last: object | None) -> "Filters":
        """Both ends belong to it; an end that is None is open."""
        if first is not None:
            self.add(f"{column} >= {{}}", first)
        if last is not None:
            self.add(f"{column} <= {{}}", last)
        return self

    def contains(self, columns: Sequence[str], text: str | None) -> "Filters":
        """Some column holds this text, letter case aside; `%`, `_` and the backslash mean themselves."""
        if text is None:
            return self
        pattern = self.argument(like_pattern(text))
        self._conditions.append("(" + " OR ".join(f"{column} ILIKE {pattern}" for column in columns) + ")")
        return self

    def before(self, columns: Sequence[str], values: Sequence[object] | None) -> "Filters":
        """Rows after this one in descending order: how a page goes on after the last row of the one before it."""
        return self._beyond("<", columns, values)

    def after(self, columns: Sequence[str], values: Sequence[object] | None) -> "Filters":
        """Rows after this one in ascending order."""
        return self._beyond(">", columns, values)

    def _beyond(self, sign: str, columns: Sequence[str], values: Sequence[object] | None) -> "Filters":
        if values is None:
            return self
        if len(columns) != len(values):
            raise ValueError(f"{len(values)} values for {len(columns)} columns")
        places = ", ".join("{}" for _ in columns)
        return self.add(f"({', '.join(columns)}) {sign} ({places})", *values)

    @property
    def where(self) -> str:
        """`WHERE …`, or nothing when nothing is asked for."""
        return "WHERE " + " AND ".join(self._conditions) if self._conditions else ""


def like_pattern(text: str) -> str:
    """A pattern for LIKE that finds the text as it stands anywhere in a value."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
