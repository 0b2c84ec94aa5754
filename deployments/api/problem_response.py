"""An error as it goes over the wire: RFC 9457 `application/problem+json`."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from starlette.responses import Response
from starlette.types import Scope

from schemas.problem import FieldError, Problem

MEDIA_TYPE = "application/problem+json"
NO_SUCH_METHOD = "This address does not know this method; see Allow."


def problem_response(
    scope: Scope,
    status: int,
    detail: str,
    *,
    errors: Sequence[FieldError] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """`detail` is for a person, and must hold no path, credential, SQL or trace."""
    problem = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=shown_path(scope),
        request_id=scope.get("state", {}).get("request_id", "-"),
        errors=None if errors is None else tuple(errors),
    )
    return Response(
        problem.model_dump_json(exclude_none=True),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers=dict(headers or {}),
    )


def shown_path(scope: Scope) -> str:
    """The path as it came: percent-encoded, so without control characters; and no query, which may hold a key."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode("ascii", "backslashreplace")
    return raw.partition(b"?")[0][:500].decode("ascii", "backslashreplace")
