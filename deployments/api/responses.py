"""What the API reference says of answers: examples, and the shape of every error."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from deployments.api.problem_response import MEDIA_TYPE
from deployments.api.views.pictures import Shown

Responses = dict[int | str, dict[str, Any]]

_WHY = {
    400: (
        "The body is not JSON, contradicts itself, or asks for what is not set up.",
        "start_time and end_time are equal: the period would be empty",
    ),
    401: (
        "A key is asked for and none, or a wrong one, was shown.",
        "A key is needed: send it as X-API-Key.",
    ),
    403: (
        "A page from elsewhere asks for a change.",
        "A page from elsewhere may not do this; see CORS_ALLOWED_ORIGINS.",
    ),
    404: ("It does not exist.", "there is no event 42"),
    409: ("The state it is in does not allow this.", "an alert that is dismissed cannot be acknowledged"),
    413: ("The body has more than 10 MB.", "A body may have at most 10 MB."),
    415: ("The body is not called JSON.", "The body must be sent as application/json."),
    422: ("Some values cannot be used; `errors` says which.", "Some values cannot be used; see errors."),
    421: (
        "The name in `Host` is not one of this system.",
        "This is not a name of this system; see ALLOWED_HOSTS.",
    ),
    429: ("Too many requests; `Retry-After` says when the next is allowed.", "Too many requests; try again in 3 s."),
    503: (
        "A store is away; `Retry-After` says when to try again.",
        "A store that this needs is away; try again shortly.",
    ),
}
_FIELD_ERROR = {"field": "limit", "message": "Input should be less than or equal to 1000"}


def problems(*statuses: int) -> Responses:
    """The errors that a route may answer, as `application/problem+json`; with a body, 400 for what is no JSON."""
    return {status: _problem(status) for status in sorted({*statuses, *((400,) if 415 in statuses else ())})}


def _problem(status: int) -> dict[str, Any]:
    description, detail = _WHY[status]
    example: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": "/api/events/42",
        "request_id": "8f14e45fceea467fa2e4a1b1c3d5e6f7",
    }
    if status == 422:
        example["errors"] = [_FIELD_ERROR]
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema, "example": example}}}


def shows(example: Mapping[str, Any], status: int = 200) -> Responses:
    """An example of the answer when all is well."""
    return {status: {"content": {"application/json": {"example": example}}}}


PICTURE: Responses = {
    200: {
        "description": "The picture.",
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in ("image/jpeg", "image/png")},
    },
    304: {"description": "The picture is still the one of `If-None-Match`."},
}


def picture_response(shown: Shown, cache_control: str) -> Response:
    headers = {"ETag": shown.etag, "Cache-Control": cache_control}
    if shown.content is None:
        return Response(status_code=304, headers=headers)
    return Response(shown.content, media_type=shown.media_type, headers=headers)
