"""Has the language model assess the events that it could not assess when they were stored, the gravest first.

    nothing waits ──a provisional event is stored──▶ rows wait ──model loaded, breaker lets through──▶ asked
    asked ──answered──▶ the event is final · ──away──▶ waits on, untried · ──no usable answer──▶ tried again, then dead

When it dies nothing is lost: a row that was claimed comes back, and the event is revised together with the row's end.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from actors.analysis_tools import AnalysisTools, LanguageModelTools
from actors.model_assessor import BREAKER, Judgement, Outcome
from actors.slots import Room, Slots
from actors.work_loop import WorkLoop
from domain import retry
from domain.circuit_breaker import lets_through
from schemas.reassessment import ClaimedReassessment
from schemas.service import Health
from storage.errors import LeaseLost, StoreUnavailable
from storage.log_context import camera_id

logger = logging.getLogger(__name__)

DESCRIBE_SECONDS = 5.0
"""A deployment that does not describe itself within this is away."""
SLOW_PAUSE_SECONDS = 30.0
"""An event on which the model took too long lets others go first for so long."""


@dataclass(frozen=True)
class _Working:
    """What one look works with."""

    tools: AnalysisTools
    language: LanguageModelTools


class Reassessment:
    """A loop beside the analysis worker's own, in at most half of its room."""

    def __init__(self, name: str, opened: Callable[[], Awaitable[AnalysisTools]], slots: int, room: Room) -> None:
        self._opened = opened
        self._slots = Slots(name, max(1, slots // 2), room)
        self._loop = WorkLoop(f"{name}-again", self._work, self._wait)
        self._queued = asyncio.Event()
        self._some_wait = True
        self._not_before = float("-inf")
        self._reached_at: float | None = None
        self._language: LanguageModelTools | None = None
        self.waiting: int | None = None
        """Provisional events that waited at the last look."""
        self.done = 0

    def start(self) -> None:
        self._loop.start()

    async def stop(self) -> None:
        await self._loop.stop()
        if self._language is not None:
            await self._slots.stop(self._language.reassessments.release)

    def health(self) -> Health:
        return self._loop.health()

    def wake(self) -> None:
        """A provisional event has been stored."""
        self._queued.set()

    async def _wait(self, _seconds: float) -> None:
        """While some wait the model is looked at again soon; else nothing is done until one is stored."""
        look, idle = (
            (1.0, 1.0) if self._language is None else (self._language.look_seconds, self._language.idle_seconds)
        )
        if self._some_wait:
            await asyncio.sleep(look)
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self._queued.wait(), idle)

    async def _work(self) -> bool:
        """One look: claims one event, if there is one, room for it, and a model that answers."""
        tools = await self._opened()
        if tools.language is None:
            return False
        self._language = tools.language
        working = _Working(tools, tools.language)
        self._queued.clear()
        self.waiting = await working.language.reassessments.waiting()
        self._some_wait = self.waiting > 0
        if not self._some_wait or not await self._reachable(working):
            return False
        if not self._slots.has_room:
            await self._slots.freed(working.language.look_seconds)
            return True
        release = working.language.reassessments.release
        found = await self._slots.fill(release, partial(self._claim, working), partial(self._settle, working))
        return found or self._slots.holds_broken

    async def _claim(self, working: _Working, owner: str) -> ClaimedReassessment | None:
        rows, tries = working.language.reassessments, retry.REASSESSMENTS.tries
        claimed = await rows.claim(owner, 1, working.language.lease_seconds, tries)
        if not claimed:
            await rows.bury_exhausted(tries, working.language.asked_by)
        return claimed[0] if claimed else None

    async def _reachable(self, working: _Working) -> bool:
        """Whether asking is worth a claim; the model and its breaker are looked at once every few seconds at most."""
        now = working.tools.clock.monotonic()
        if now < self._not_before:
            return False
        if self._reached_at is not None and 0 <= now - self._reached_at < working.language.look_seconds:
            return True
        reached = await _answers(working) and await _admits(working)
        self._reached_at = now if reached else None
        return reached

    async def _settle(self, working: _Working, claimed: ClaimedReassessment) -> None:
        camera_id.set(claimed.batch.camera_id)  # for the log; each event is settled in a task of its own
        try:
            await self._assess(working, claimed)
        except LeaseLost as error:
            logger.warning("%s; whoever holds it revises the event", error)
        except StoreUnavailable:
            raise  # the event is not to blame: it is let go of, and claimed again
        except Exception as error:
            logger.exception("event %s was not assessed again", claimed.event_id)
            await self._failed(working, claimed, f"{type(error).__name__}: {error}")

    async def _assess(self, working: _Working, claimed: ClaimedReassessment) -> None:
        config = await working.tools.configs.current()
        evidence = await working.tools.evidence.again(claimed)
        then = claimed.why.model.facts if claimed.why.model is not None else None
        answered = working.language.assessor.answered
        judgement = await working.language.assessor.judge(evidence, config, then)
        if judgement.outcome is Outcome.ANSWERED:
            await working.tools.events.revise(claimed, evidence, judgement.assessment, config)
            self.done += 1
        elif judgement.outcome in (Outcome.AWAY, Outcome.BUSY, Outcome.NOT_ASKED):
            asked = judgement.outcome is Outcome.AWAY and _was_asked(judgement)
            await self._untried(working, claimed, working.language.away_pause_seconds if asked else 0.0)
        elif judgement.outcome is Outcome.TOO_SLOW and working.language.assessor.answered == answered:
            await self._untried(working, claimed, SLOW_PAUSE_SECONDS)
        else:  # it answers others, and not this one
            await self._failed(working, claimed, _reason(judgement))

    async def _untried(self, working: _Working, claimed: ClaimedReassessment, retry_in: float) -> None:
        """The event is not to blame: it waits as before, and nobody is asked for a moment."""
        self._reached_at = None
        self._not_before = working.tools.clock.monotonic() + working.language.look_seconds
        await working.language.reassessments.give_back([claimed], retry_in)

    async def _failed(self, working: _Working, claimed: ClaimedReassessment, reason: str) -> None:
        decision = retry.next_try(retry.REASSESSMENTS, claimed.attempts, working.tools.random())
        if isinstance(decision, retry.RetryIn):
            await working.language.reassessments.fail(claimed, reason, decision.seconds)
            return
        logger.warning("event %s stays provisional: %s", claimed.event_id, reason)
        await working.language.reassessments.give_up(claimed, reason, working.language.asked_by)


async def _answers(working: _Working) -> bool:
    try:
        async with asyncio.timeout(DESCRIBE_SECONDS):
            described = await working.language.model.describe()
    except Exception as error:  # whatever is wrong with it, it is looked at again in a moment
        logger.debug("the language model does not describe itself: %s", error)
        return False
    return bool(described.get("loaded")) and described.get("status", "healthy") == "healthy"


async def _admits(working: _Working) -> bool:
    try:
        known = await working.language.breakers.status()
    except Exception as error:  # as everywhere: breakers that are away stop nobody
        logger.debug("circuit breakers do not answer: %s", error)
        return True
    now = working.tools.clock.now()
    return all(lets_through(breaker, now) for breaker in known if breaker.name == BREAKER)


def _was_asked(judgement: Judgement) -> bool:
    """Not where the breaker is open."""
    trace = judgement.assessment.trace
    return trace is not None and bool(trace.attempts)


def _reason(judgement: Judgement) -> str:
    return judgement.assessment.because or judgement.outcome.value
