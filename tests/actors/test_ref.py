"""What a caller gets of an actor that answers, fails, or hangs; the handle is a plain object here."""

import asyncio
from typing import Any

import pytest
import ray
from ray.exceptions import RayTaskError

from actors.ref import ActorAway, Ref
from storage.errors import NotFound


class Method:
    def __init__(self, answer: Any) -> None:
        self._answer = answer

    async def remote(self) -> Any:
        if self._answer is None:
            await asyncio.Event().wait()
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


class Handle:
    """Methods by name, each with its answer; None is one that never answers."""

    def __init__(self, **answers: Any) -> None:
        for name, answer in answers.items():
            setattr(self, name, Method(answer))


def named(monkeypatch: pytest.MonkeyPatch, handle: Handle) -> None:
    monkeypatch.setattr(ray, "get_actor", lambda name, namespace: handle)


async def test_an_actor_that_hangs_is_away_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    named(monkeypatch, Handle(act=None))
    with pytest.raises(ActorAway, match=r"supervisor is away: no answer within 0\.02 s"):
        await Ref("supervisor", within_seconds=0.02).act()


async def test_one_that_takes_its_time_has_to_be_alive_only(monkeypatch: pytest.MonkeyPatch) -> None:
    named(monkeypatch, Handle(health="well", run=None))
    running = asyncio.create_task(Ref("cleanup_service", within_seconds=0.02, takes_its_time=True).run())
    assert not (await asyncio.wait({running}, timeout=0.1))[0]
    running.cancel()
    named(monkeypatch, Handle(health=None, run="done"))
    with pytest.raises(ActorAway):
        await Ref("cleanup_service", within_seconds=0.02, takes_its_time=True).run()


async def test_an_error_arrives_as_it_was_raised_with_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray's has a stack trace for words, which must not get into an answer."""
    raised = RayTaskError("act", "Traceback: /srv/secret.py", NotFound("there is no service backend"))
    named(monkeypatch, Handle(act=raised.as_instanceof_cause()))
    with pytest.raises(NotFound) as caught:
        await Ref("supervisor").act()
    assert str(caught.value) == "there is no service backend"
    assert type(caught.value) is NotFound
