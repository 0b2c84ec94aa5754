"""The language model of this process or elsewhere: kept alive, asked within bounds, and honest about both.

What is lost when it dies: nothing; a question that has no answer is asked again by whoever has the row.

    start ──▶ loading ──▶ asked its known question ──▶ answers ──died, hung──▶ stopped, loading again
    ask ──▶ waits its turn ──▶ the model ──▶ reply            healthy while it answers, else why and what to do

A question of any caller that is answered is proof enough; without one the known question is asked every minute.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from actors.answer_figures import AnswerFigures
from actors.known_question import fault_of, is_right, known_question
from actors.model_life import LONGEST_WAIT_SECONDS, ModelLife
from actors.model_talk import ModelTalk
from actors.question_turns import Turns
from domain.clock import Clock
from language.backend import Backend
from language.errors import ModelAway, ModelBusy, ModelTooSlow, QuestionRefused
from schemas.language import Question, Reply
from schemas.service import Health

LOOK_EVERY_SECONDS = 0.5
SWITCHED_OFF = "the language model is switched off: enable the service to load it again"
MOST_SECONDS_TO_END = 5.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AnalyzerPlan:
    max_in_flight: int = 8
    most_waiting: int = 32
    """Further ones are sent away: whoever asks keeps them as rows."""
    known_question_seconds: float = 45.0
    picture: bytes | None = None
    """Goes with the known question, for a model that is to see."""
    longest_wait_seconds: float = LONGEST_WAIT_SECONDS
    """Between two tries to load or reach it."""
    restarts_when_hung: bool = True
    """False for a server elsewhere: starting our side of it again would mend nothing."""


class NemotronAnalyzer:
    """A LanguageModelPort around one backend. Used from one event loop."""

    def __init__(
        self,
        backend: Backend,
        plan: AnalyzerPlan,
        clock: Clock,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """Assigns only."""
        self._backend = backend
        self._plan = plan
        self._clock = clock
        self._pause = pause
        self._life = ModelLife(backend, clock, plan.longest_wait_seconds)
        self._turns = Turns(plan.max_in_flight, plan.most_waiting)
        self._figures = AnswerFigures()
        self._living: asyncio.Task[None] | None = None
        self._switching = asyncio.Lock()
        self._switched_on = True
        self._ids: set[str] = set()
        self._checking: asyncio.Task[None] | None = None
        self._checks = 0
        self._forget()

    def _forget(self) -> None:
        """What was learnt of a model that is gone."""
        self._talk = ModelTalk(self._backend, self._clock)
        self._check_ended_at = float("-inf")
        self._check: dict[str, Any] = {}

    async def start(self) -> None:
        """Arms what loads the model and keeps it; returns at once. Harmless when it runs already."""
        async with self._switching:
            self._switched_on = True
            if self._living is None or self._living.done():
                self._living = asyncio.get_running_loop().create_task(self._live(), name="nemotron_analyzer")

    async def stop(self) -> None:
        """Gives the model back; who asks or waits is told that there is none. `start` loads it again."""
        await self._end("the language model has been stopped", self._switched_on)

    async def switch(self, on: bool) -> None:
        """Loads the model, or gives it back and takes no questions: what a person wishes."""
        if on:
            return await self.start()
        self._switched_on = False
        await self._end(SWITCHED_OFF, False)

    async def ask(self, question: Question) -> Reply:
        """The model's reply. Raises ModelAway, ModelTooSlow, QuestionRefused."""
        self._figures.asked()
        if question.id in self._ids:
            self._figures.ended("refused")
            raise QuestionRefused(f"question {question.id} is being answered already: nothing is asked twice at once")
        self._ids.add(question.id)
        try:
            return await self._counted(question)
        finally:
            self._ids.discard(question.id)

    async def health(self) -> Health:
        fault = self._fault()
        return Health(healthy=fault is None, message=fault, detail=self._described(fault))

    async def describe(self) -> dict[str, Any]:
        """The model, its backend, whether it answers or why not, and what it has done so far."""
        return self._described(self._fault())

    @property
    def beyond_help(self) -> str | None:
        """Why only a new process can help; None while that is not so."""
        return self._life.beyond_help

    async def look(self) -> None:
        """One look at the model: loads it when that is due, ends one that died or hangs, asks the known question."""
        if not self._life.loaded:
            if self._life.is_due():
                self._forget()
                await self._life.load()
            return
        hang = self._talk.signs.hang() if self._plan.restarts_when_hung else None
        fault = self._talk.broken or self._backend.fault() or hang
        if fault is not None:
            await self._drop(fault)
            await self._life.end(fault)
        elif self._checking is None and self._talk.signs.wants_check(self._check_ended_at):
            self._checking = asyncio.get_running_loop().create_task(self._ask_known(), name="known question")
            self._checking.add_done_callback(self._no_longer_checking)

    async def _live(self) -> None:
        while True:
            try:
                await self.look()
            except Exception:
                _log.exception("a look at the language model failed")
            await self._pause(LOOK_EVERY_SECONDS)

    async def _end(self, reason: str, switched_on: bool) -> None:
        async with self._switching:
            self._switched_on = switched_on
            living, self._living = self._living, None
            if living is not None:
                living.cancel()
                await asyncio.wait({living}, timeout=MOST_SECONDS_TO_END)
            await self._drop(reason)
            await self._life.close(reason)
            self._forget()

    async def _drop(self, reason: str) -> None:
        """Nobody waits for a model that is being ended."""
        self._turns.send_away(reason)
        if self._checking is not None:
            self._checking.cancel()
        await self._talk.end(reason)

    async def _counted(self, question: Question) -> Reply:
        began = self._clock.monotonic()
        try:
            reply = await self._in_turn(question, began)
        except ModelTooSlow:
            self._figures.ended("too_slow")
            raise
        except QuestionRefused:
            self._figures.ended("refused")
            raise
        except ModelAway as error:
            self._figures.ended("busy" if isinstance(error, ModelBusy) else "failed")
            raise
        except asyncio.CancelledError:
            self._figures.ended("cancelled")
            raise
        return reply

    async def _in_turn(self, question: Question, began: float) -> Reply:
        self._require_model()
        try:
            async with asyncio.timeout(question.within_seconds):
                await self._turns.take(question.priority)
        except TimeoutError:
            raise ModelTooSlow(question.within_seconds) from None
        try:
            self._require_model()
            turn = self._clock.monotonic()
            left = max(question.within_seconds - (turn - began), 0.05)
            talk = self._talk
            reply = await talk.put(question.model_copy(update={"within_seconds": left}))
        finally:
            self._turns.give_back()
        now = self._clock.monotonic()
        self._figures.answered(reply, now - turn, now)
        if reply.text is not None:
            talk.signs.answered()
        return reply

    def _no_longer_checking(self, _: asyncio.Task[None]) -> None:
        self._checking = None

    def _require_model(self) -> None:
        if not self._switched_on:
            raise ModelAway(SWITCHED_OFF)
        if not self._life.loaded:
            raise ModelAway(self._life.why_not())
        if self._talk.broken is not None:
            raise ModelAway(self._talk.broken)

    async def _ask_known(self) -> None:
        """Beside everybody's questions, since it must be answered while the model is busy too; it is served last."""
        self._checks += 1
        began = self._clock.monotonic()
        question_id = f"known-question-{self._checks}"
        try:
            reply = await self._talk.put(
                known_question(question_id, self._plan.known_question_seconds, self._plan.picture)
            )
        except (ModelAway, ModelTooSlow, QuestionRefused) as error:
            fault: str | None = f"the language model does not answer its known question: {error}"
            right = None
        else:
            fault, right = fault_of(reply), is_right(reply)
        now = self._check_ended_at = self._clock.monotonic()
        self._check = {"message": fault, "milliseconds": round((now - began) * 1e3, 1), "understood": right}
        if fault is None:
            self._talk.signs.answered()
        else:
            self._talk.signs.trouble = fault
            _log.warning("%s", fault)

    def _fault(self) -> str | None:
        """Why nobody gets an answer, as far as is known."""
        if not self._life.loaded:
            return self._life.why_not()
        known = self._talk.broken or self._talk.signs.trouble
        return known if known or self._talk.signs.proven else "it is loaded, and has yet to answer its known question"

    def _described(self, fault: str | None) -> dict[str, Any]:
        now = self._clock.monotonic()
        ago = self._talk.signs.seconds_since_proof()
        check = {"healthy": fault is None, "checked_seconds_ago": None if ago is None else round(ago, 1)} | self._check
        return self._backend.describe() | {
            "status": "healthy" if fault is None else "unhealthy",
            "message": fault,
            "loaded": self._life.loaded,
            "reason": None if self._life.loaded else self._life.why_not(),
            "switched_on": self._switched_on,
            "loads": self._life.loads,
            "max_in_flight": self._plan.max_in_flight,
            "most_waiting": self._plan.most_waiting,
            "in_flight": self._turns.taken,
            "waiting": self._turns.waiting,
            **self._figures.describe(now),
            "self_check": check if self._life.loaded else None,
        }
