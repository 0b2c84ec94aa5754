"""Changes by part: a field that is left out stays as it is, and a null is refused since nothing here can be empty."""

from typing import Any

from pydantic import Field, field_validator

from deployments.api.parameters import Checked


class PartialChange(Checked):
    """What a client named, and nothing else, is in `named()`."""

    @field_validator("*", mode="before")
    @classmethod
    def _not_null(cls, value: Any) -> Any:
        if value is None:
            raise ValueError("this cannot be null; leave it out to keep it as it is")
        return value

    def named(self) -> dict[str, Any]:
        return self.model_dump(exclude_unset=True)


def may_be_named(**constraints: Any) -> Any:
    """A field that may be left out. It has no default of its own: what is stored goes on."""
    return Field(default=None, json_schema_extra=_without_default, **constraints)


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)
