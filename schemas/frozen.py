"""What every noun of the vocabulary is built on: immutable, and strict about fields it does not know."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema


def utc_text(moment: datetime) -> str:
    """ISO 8601 in UTC with `Z`, as every answer of the API writes a time."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


UtcTime = Annotated[
    AwareDatetime,
    PlainSerializer(utc_text, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]


def _number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("this must be a whole number")
    return value


WHOLE = BeforeValidator(_number)
"""For whole numbers as JSON has them: 87 and 87.0, and neither "87" nor true. It stands after an int's bounds."""
Whole = Annotated[int, WHOLE]
Score = Annotated[int, Field(ge=0, le=100), WHOLE]


class Frozen(BaseModel):
    """An immutable value; an unknown field is an error, so that nothing is ignored silently."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
