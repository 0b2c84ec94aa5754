"""How actors know each other: by name, so that a call reads the same for an actor, a Serve deployment and a fake.

A name survives a restart of either end; a call to one that is away raises ActorAway, and the caller's loop tries again.
"""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import ray
from ray import serve
from ray.exceptions import ActorUnavailableError, GetTimeoutError, RayActorError, RayTaskError
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError, RayServeException

from actors.ports import ActorAway, ActorStarting
from language.errors import ModelAway
from schemas.language import Question, Reply
from vision.errors import DetectorUnavailable

NAMESPACE = "home-security"
MORE_THAN_THE_QUESTION_SECONDS = 5.0
"""The replica keeps a question's time; one that does not, or is not there, is given up after this much more."""
DESCRIBE_SECONDS = 5.0


class Ref:
    """`await Ref("batch_aggregator").add(x)`: any public method of the actor, found by its name at each call.

    With `within_seconds` one that hangs counts as away after that; what was asked of it may be done all the same.
    With `takes_its_time` only its health has to come within that time, and the answer when it is done.
    """

    def __init__(
        self,
        name: str,
        namespace: str = NAMESPACE,
        within_seconds: float | None = None,
        *,
        takes_its_time: bool = False,
    ) -> None:
        self._name = name
        self._namespace = namespace
        self._within_seconds = within_seconds
        self._takes_its_time = takes_its_time
        self._handle: Any = None

    def __getattr__(self, method: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        if method.startswith("_"):
            raise AttributeError(method)

        async def call(*args: Any, **kwargs: Any) -> Any:
            try:
                if self._takes_its_time:
                    async with asyncio.timeout(self._within_seconds):
                        await self._found().health.remote()
                async with asyncio.timeout(None if self._takes_its_time else self._within_seconds):
                    return await getattr(self._found(), method).remote(*args, **kwargs)
            except RayTaskError as error:
                raise _cause(error) from error
            except TimeoutError:
                raise ActorAway(self._name, f"no answer within {self._within_seconds} s") from None
            except ActorUnavailableError:
                raise ActorStarting(self._name, "it is being started") from None
            except RayActorError as error:
                self._handle = None
                raise ActorAway(self._name, type(error).__name__) from None

        return call

    def _found(self) -> Any:
        if self._handle is None:
            try:
                self._handle = ray.get_actor(self._name, namespace=self._namespace)
            except ValueError:
                raise ActorAway(self._name, "no actor of this name") from None
        return self._handle


def _cause(error: RayTaskError) -> Exception:
    """What was raised over there, in its own words: Ray's own has a stack trace for words."""
    return error.cause if isinstance(error.cause, Exception) else error


class ServeDeployment:
    """A Serve deployment by its name. Serve spreads the calls over its replicas; one that dies fails its calls."""

    def __init__(self, app_name: str | None, deployment: str) -> None:
        """Without an application's name the supervisor is asked for it."""
        self._app_name = app_name
        self._deployment = deployment
        self._handle: Any = None

    def _away(self, why: str) -> Exception:
        """What callers get when nobody could answer."""
        return ActorAway(self._deployment, why)

    async def switch(self, on: bool) -> None:
        """Has every replica load its model, or give it back and take nothing."""
        await (await self._found()).broadcast("switch", on).results_async(timeout_s=5)

    async def _found(self) -> Any:
        if self._handle is None:
            self._app_name = self._app_name or await Ref("supervisor").app_name()
            self._handle = serve.get_deployment_handle(self._deployment, self._app_name)
        return self._handle

    async def _call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        response = None
        try:
            response = getattr(await self._found(), method).remote(*args, **kwargs)
            return await response
        except asyncio.CancelledError:
            if response is not None:
                response.cancel()  # the replica is not to go on for nobody
            raise
        except RayTaskError as error:
            raise _cause(error) from error
        except (
            RayActorError,
            RayServeException,
            BackPressureError,
            DeploymentUnavailableError,
            GetTimeoutError,
        ) as error:
            raise self._away(type(error).__name__) from None


class DetectorDeployment(ServeDeployment):
    """The replicated detector: any of its methods. When a replica dies, the frames of its calls wait as rows."""

    def __init__(self, app_name: str | None = None, deployment: str = "yolo_detector") -> None:
        super().__init__(app_name, deployment)

    def _away(self, why: str) -> Exception:
        return DetectorUnavailable(f"the detector is away: {why}")

    def __getattr__(self, method: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        if method.startswith("_"):
            raise AttributeError(method)
        return partial(self._call, method)


class LanguageModelDeployment(ServeDeployment):
    """The language model's replicas: a LanguageModelPort. Nobody waits longer than a question's own time."""

    def __init__(self, app_name: str | None = None, deployment: str = "nemotron_analyzer") -> None:
        super().__init__(app_name, deployment)

    def _away(self, why: str) -> Exception:
        return ModelAway(f"the language model's replica is away: {why}")

    async def ask(self, question: Question) -> Reply:
        """Raises ModelAway, ModelTooSlow, QuestionRefused. A call that is cancelled ends the model's work too."""
        reply: Reply = await self._within(question.within_seconds + MORE_THAN_THE_QUESTION_SECONDS, "ask", question)
        return reply

    async def describe(self) -> dict[str, Any]:
        """The model, its backend, whether it answers or why not."""
        described: dict[str, Any] = await self._within(DESCRIBE_SECONDS, "describe")
        return described

    async def _within(self, seconds: float, method: str, *args: Any) -> Any:
        try:
            async with asyncio.timeout(seconds):
                return await self._call(method, *args)
        except TimeoutError:
            raise self._away(f"no answer within {seconds:g} s") from None
        except ActorAway as error:  # the supervisor, which knows the application's name
            raise ModelAway(str(error)) from None
