"""What a caller gets of the language model's replicas: answers, their own errors, or a model that is away in time."""

import asyncio
from typing import Any

import pytest
from ray import serve
from ray.exceptions import ActorUnavailableError, RayTaskError
from ray.serve.exceptions import BackPressureError

import actors.ref
from actors.ref import LanguageModelDeployment
from language.errors import ModelAway, ModelTooSlow, QuestionRefused
from schemas.language import Question
from tests.actors.scripted_backend import reply_to

QUESTION = Question(id="a", system="s", user="u", answer_schema={}, within_seconds=30)


class Response:
    """As Serve's: awaited for the answer, cancelled by who gives up. An answer of None never comes."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer
        self.cancelled = False

    def __await__(self) -> Any:
        return self._result().__await__()

    async def _result(self) -> Any:
        if self._answer is None:
            await asyncio.Event().wait()
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    def cancel(self) -> None:
        self.cancelled = True


class Handle:
    """A deployment whose every method has this answer."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer
        self.responses: list[Response] = []

    def __getattr__(self, _method: str) -> "Handle":
        return self

    def remote(self, *_: Any) -> Response:
        self.responses.append(Response(self._answer))
        return self.responses[-1]


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Any:
    def deploy(answer: Any) -> Handle:
        handle = Handle(answer)
        monkeypatch.setattr(serve, "get_deployment_handle", lambda name, app: handle)
        return handle

    return deploy


def model() -> LanguageModelDeployment:
    return LanguageModelDeployment("app")


async def test_an_answer_arrives(deployed: Any) -> None:
    deployed(reply_to(QUESTION))
    assert (await model().ask(QUESTION)).id == "a"


@pytest.mark.parametrize("error", [ModelTooSlow(30.0), QuestionRefused("too long"), ModelAway("it died")])
async def test_the_models_own_errors_arrive_as_they_were_raised(deployed: Any, error: Exception) -> None:
    deployed(RayTaskError("ask", "Traceback: /srv/secret.py", error).as_instanceof_cause())
    with pytest.raises(type(error)) as caught:
        await model().ask(QUESTION)
    assert type(caught.value) is type(error)
    assert str(caught.value) == str(error)


@pytest.mark.parametrize(
    "error", [ActorUnavailableError("it went", b"0" * 16), BackPressureError(1, 2)], ids=["died", "full"]
)
async def test_what_goes_wrong_on_the_way_is_a_model_that_is_away(deployed: Any, error: Exception) -> None:
    deployed(error)
    with pytest.raises(ModelAway, match=f"replica is away: {type(error).__name__}"):
        await model().ask(QUESTION)


async def test_a_replica_that_does_not_answer_is_given_up_soon_after_the_questions_time(
    deployed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actors.ref, "MORE_THAN_THE_QUESTION_SECONDS", 0.01)
    handle = deployed(None)
    with pytest.raises(ModelAway, match=r"no answer within 0\.03 s"):
        await model().ask(QUESTION.model_copy(update={"within_seconds": 0.02}))
    assert handle.responses[0].cancelled


async def test_who_gives_up_cancels_the_call_in_the_replica(deployed: Any) -> None:
    handle = deployed(None)
    asking = asyncio.ensure_future(model().ask(QUESTION))
    while not handle.responses:
        await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert handle.responses[0].cancelled
