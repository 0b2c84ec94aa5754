"""All that is asked of one loaded model, from its load to its end, and what the ends of these questions show."""

import asyncio

from actors.signs_of_life import SignsOfLife
from domain.clock import Clock
from language.backend import Backend
from language.errors import ModelAway, ModelTooSlow, QuestionRefused
from schemas.language import Question, Reply

GRACE_SECONDS = 2.0
"""A backend keeps a question's time itself; one that does not is given up after this."""
MOST_SECONDS_TO_END = 5.0


class ModelTalk:
    """Used from one event loop."""

    def __init__(self, backend: Backend, clock: Clock) -> None:
        self._backend = backend
        self._clock = clock
        self._asking: set[asyncio.Task[Reply]] = set()
        self.signs = SignsOfLife(clock)
        self.broken: str | None = None
        """Why nothing may be asked of it any more."""

    async def put(self, question: Question) -> Reply:
        """Raises ModelAway, ModelTooSlow, QuestionRefused, whatever the backend raises."""
        began = self._clock.monotonic()
        try:
            reply = await self._raw(question)
        except ModelTooSlow:
            self.signs.was_slow(began)
            raise
        except QuestionRefused:
            raise
        except ModelAway as error:
            self.signs.failed(error)
            raise
        except Exception as error:
            away = ModelAway(f"the language model's backend failed ({type(error).__name__}: {error})")
            self.signs.failed(away)
            raise away from error
        if reply.id != question.id:
            self.broken = f"the language model answered {reply.id[:40]!r} when it was asked {question.id[:40]!r}"
            raise ModelAway(self.broken)
        self.signs.replied()
        return reply

    async def end(self, reason: str) -> None:
        """Nobody waits for a model that is being ended."""
        self.broken = reason
        asking = set(self._asking)
        for task in asking:
            task.cancel()
        if asking:
            await asyncio.wait(asking, timeout=MOST_SECONDS_TO_END)

    async def _raw(self, question: Question) -> Reply:
        """Nobody waits longer than this, whatever the backend does; who gives up ends the work behind it."""
        task = asyncio.ensure_future(self._backend.ask(question))
        self._asking.add(task)
        task.add_done_callback(self._no_longer_asking)
        if len(self._asking) == 1:
            self.signs.busy(True)
        try:
            done, _ = await asyncio.wait({task}, timeout=question.within_seconds + GRACE_SECONDS)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if not done:
            task.cancel()
            raise ModelTooSlow(question.within_seconds)
        if task.cancelled():
            raise ModelAway(self.broken or "the language model is being ended")
        return task.result()

    def _no_longer_asking(self, task: asyncio.Task[Reply]) -> None:
        self._asking.discard(task)
        if not self._asking:
            self.signs.busy(False)
        if not task.cancelled():
            task.exception()  # somebody has looked at it, even where the caller has gone
