"""What every noun of the vocabulary is built on: immutable, and strict about fields it does not know."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema


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


Whole = Annotated[int, BeforeValidator(_number)]
"""A whole number as JSON has it: 87 and 87.0, and neither "87" nor true."""


class Frozen(BaseModel):
    """An immutable value; an unknown field is an error, so that nothing is ignored silently."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
