"""Which error becomes which status: the only place of the program where the two meet."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from actors.ports import ActorAway, CleanupRunning, ServiceRefused
from deployments.api.problem_response import NO_SUCH_METHOD, problem_response
from domain.alert_status import IllegalAlertStep
from domain.model_registry import UnknownModel
from domain.pagination import BadCursor
from schemas.problem import FieldError
from storage.errors import Conflict, InvalidValue, NotFound, StoreError, StoreUnavailable
from vision.errors import UnreadableMedia

_MOST_FIELD_ERRORS = 50
_AWAY = "A store that this needs is away; try again shortly."
_DEFECT = "Something went wrong here; the log has it under this request id."
_PLAIN = {404: "There is nothing at this address.", 405: NO_SUCH_METHOD}

_log = logging.getLogger(__name__)


Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
OwnAnswer = Callable[[Sequence[FieldError]], dict[str, Any]]
_OWN_ANSWER = "answers_bad_values_with"


class InvalidField(Exception):
    """A value of the request that is well formed and cannot be; the message is for a person."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(field, message)
        self.field = field
        self.message = message


class BadRequest(Exception):
    """What is asked contradicts itself, or cannot be had here; the message is for a person."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(field, message)
        self.field = field
        self.message = message


@dataclass(frozen=True)
class Answer:
    """How one kind of error is told."""

    status: int
    detail: Callable[[Any], str]
    """From the error; a store's own words stay in the log, since they quote SQL and addresses."""
    errors: Callable[[Any], Sequence[FieldError] | None] = lambda error: None
    headers: tuple[tuple[str, str], ...] = ()


ANSWERS: dict[type[Exception], Answer] = {
    NotFound: Answer(404, str),
    UnknownModel: Answer(404, str),
    Conflict: Answer(409, lambda e: "This contradicts what is stored." if e.constraint else str(e)),
    IllegalAlertStep: Answer(409, str),
    InvalidValue: Answer(422, lambda e: "A value cannot be stored.", lambda e: ()),
    BadCursor: Answer(422, lambda e: "The cursor cannot be used.", lambda e: [_field("cursor", str(e))]),
    BadRequest: Answer(400, lambda e: e.message, lambda e: [_field(e.field, e.message)]),
    InvalidField: Answer(422, lambda e: "A value cannot be used.", lambda e: [_field(e.field, e.message)]),
    UnreadableMedia: Answer(404, lambda e: f"The picture cannot be shown: {e.reason}."),
    CleanupRunning: Answer(409, str),
    ServiceRefused: Answer(400, str),
    ActorAway: Answer(
        503,
        lambda e: f"{e.args[0]} is away and is being started again; try again shortly.",
        headers=(("Retry-After", "5"),),
    ),
    StoreUnavailable: Answer(503, lambda e: _AWAY, headers=(("Retry-After", "5"),)),
    StoreError: Answer(500, lambda e: _DEFECT),
}


def answer_errors(app: FastAPI, allowed_methods: Callable[[str], set[str]]) -> None:
    """Registers every handler; `allowed_methods` says which methods a path has."""

    async def of_table(request: Request, error: Exception) -> Response:
        answer = next(ANSWERS[kind] for kind in type(error).__mro__ if kind in ANSWERS)
        if answer.status >= 500:
            _log.warning("%s: %s", type(error).__name__, error, exc_info=answer.status == 500)
        return problem_response(
            request.scope,
            answer.status,
            answer.detail(error),
            errors=answer.errors(error),
            headers=dict(answer.headers),
        )

    async def of_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = ", ".join(sorted(allowed_methods(request.url.path)))
        detail = _PLAIN.get(error.status_code, error.detail)
        return problem_response(request.scope, error.status_code, detail, headers=headers)

    async def of_validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        faults = error.errors()
        if any(fault["type"] == "json_invalid" for fault in faults):
            return problem_response(request.scope, 400, f"The body is not JSON: {_position(faults)}.")
        if _is_of_another_type(request, faults):
            return problem_response(request.scope, 415, "The body must be sent as application/json.")
        errors = [_field(_name(fault["loc"]), _message(fault)) for fault in faults[:_MOST_FIELD_ERRORS]]
        own_answer: OwnAnswer | None = getattr(request.scope.get("endpoint"), _OWN_ANSWER, None)
        if own_answer is not None:
            return JSONResponse(own_answer(errors), status_code=422)
        return problem_response(request.scope, 422, "Some values cannot be used; see errors.", errors=errors)

    for kind in ANSWERS:
        app.add_exception_handler(kind, of_table)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(RequestValidationError, of_validation)


def answers_bad_values(shape: OwnAnswer) -> Callable[[Endpoint], Endpoint]:
    """For a route whose 422 has a shape of its own in the specification instead of a problem's."""

    def marked(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _OWN_ANSWER, shape)
        return endpoint

    return marked


def _field(name: str, message: str) -> FieldError:
    return FieldError(field=name, message=message[:500])


def _name(place: Sequence[int | str]) -> str:
    """`schedule.start_time`, without the part of the request that it came in."""
    inside = place[1:] if len(place) > 1 else place
    return ".".join(str(step) for step in inside)[:200]


def _message(fault: dict[str, Any]) -> str:
    words: str = fault["msg"]
    return words.removeprefix("Value error, ")


def _position(faults: Sequence[dict[str, Any]]) -> str:
    fault = next(fault for fault in faults if fault["type"] == "json_invalid")
    return f"{fault['ctx']['error']} at position {fault['loc'][-1]}"


def _is_of_another_type(request: Request, faults: Sequence[dict[str, Any]]) -> bool:
    """Whether a body came that was not called JSON: FastAPI then hands its bare bytes to the model."""
    if not any(tuple(fault["loc"]) == ("body",) and fault["type"] != "missing" for fault in faults):
        return False
    essence = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return not (essence == "application/json" or (essence.startswith("application/") and essence.endswith("+json")))
