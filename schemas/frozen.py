"""What every noun of the vocabulary is built on: immutable, and strict about fields it does not know."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, PlainSerializer, WithJsonSchema


def utc_text(moment: datetime) -> str:
    """ISO 8601 in UTC with `Z`, as every answer of the API writes a time."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


UtcTime = Annotated[
    AwareDatetime,
    PlainSerializer(utc_text, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]


class Frozen(BaseModel):
    """An immutable value; an unknown field is an error, so that nothing is ignored silently."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
