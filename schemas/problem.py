"""An error as the API answers it: RFC 9457 `application/problem+json`."""

from schemas.frozen import Frozen


class FieldError(Frozen):
    field: str
    message: str


class Problem(Frozen):
    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str
    request_id: str
    errors: tuple[FieldError, ...] | None = None
