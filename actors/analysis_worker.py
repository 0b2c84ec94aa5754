"""Turns closed batches into events: gathers the evidence, has it assessed, and stores the event with its alerts.

Without a language model a claim of a few batches is settled before the next one is made. With one, each batch is
claimed alone and many are in work, since an answer takes seconds; what waits too long for a place gets its provisional
event at once, and is assessed again beside new ones (actors/reassessment.py).

When it dies nothing is lost: the batch comes back when its lease ends or its successor starts, and an event is
written together with its batch's last step, so there is never a second one.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from actors.analysis_tools import AnalysisTools, LanguageModelTools
from actors.claim_scope import ClaimScope, settle_all
from actors.reassessment import Reassessment
from actors.slots import Room, Slots
from actors.work_loop import WorkLoop
from domain import retry
from schemas.assessment import Assessment, AssessmentStanding, Evidence
from schemas.batch import ClaimedBatch
from schemas.runtime_config import RuntimeConfig
from schemas.service import Health
from storage.errors import LeaseLost, StoreUnavailable
from storage.log_context import camera_id

logger = logging.getLogger(__name__)

LEASE_SECONDS = 120.0
BATCHES_A_CLAIM = 4
LOOK_FOR_OVERDUE_SECONDS = 1.0
"""How often, while every place is taken, batches are looked for that have waited too long."""

Assess = Callable[[Evidence, RuntimeConfig], Awaitable[Assessment]]


class AnalysisWorker:
    """`batch: closed → assessing → assessed`, and in the same commit the event, its alerts and their outbox rows."""

    def __init__(self, name: str, connect: Callable[[], Awaitable[AnalysisTools]], slots: int = 0) -> None:
        """`slots`: batches and events in work at once with a language model; 0 where there is none."""
        self._name = name
        self._connect = connect
        self._tools: AnalysisTools | None = None
        self._opening = asyncio.Lock()
        self._taken_over = False
        self._loop = WorkLoop(name, self._work, self._wait)
        self._done = 0
        self._scope = ClaimScope(name)
        self._overdue_scope = ClaimScope(f"{name}/overdue")
        self._room = Room(slots)
        self._slots = Slots(name, slots, self._room)
        self._again = Reassessment(name, self._opened, slots, self._room) if slots else None

    async def start(self) -> None:
        self._loop.start()
        if self._again is not None:
            self._again.start()

    async def stop(self) -> None:
        """What is in hand is finished, or let go of when that takes too long."""
        await asyncio.gather(self._end(), self._again.stop() if self._again is not None else asyncio.sleep(0))

    async def _end(self) -> None:
        await self._loop.stop()
        if self._tools is not None:
            await self._slots.stop(self._tools.batches.release)

    async def health(self) -> Health:
        healths = [self._loop.health(), *([self._again.health()] if self._again is not None else [])]
        worst = min(healths, key=lambda health: (health.healthy, health.message is None))
        detail: dict[str, int | None] = {"events_stored": self._done}
        if self._again is not None:
            detail |= {
                "batches_in_work": self._slots.in_work,
                "events_assessed_again": self._again.done,
                "events_waiting_for_the_model": self._again.waiting,
            }
        return worst.model_copy(update={"detail": detail})

    async def _wait(self, seconds: float) -> None:
        await (self._tools.wait(seconds) if self._tools else asyncio.sleep(seconds))

    async def _opened(self) -> AnalysisTools:
        """Opens them once, and lets go of what this worker's earlier life held, before anything else is claimed."""
        async with self._opening:
            if self._tools is None:
                self._tools = await self._connect()
            if self._tools.language is not None and not self._taken_over:
                await self._tools.batches.release(self._name)
                await self._tools.language.reassessments.release(self._name)
                await self._tools.language.reassessments.revive(self._tools.language.asked_by)
                self._taken_over = True
        return self._tools

    async def _work(self) -> bool:
        """One claim: each closed batch becomes an event. Answers whether there was any."""
        tools = await self._opened()
        if tools.language is None:
            async with self._scope.claim(tools.batches.release):
                return await self._claim(tools, self._scope.owner, tools.assessor.assess)
        if self._slots.has_room:
            found = await self._slots.fill(
                tools.batches.release, partial(self._claim_one, tools, tools.language), partial(self._settle_one, tools)
            )
            return found or self._slots.holds_broken
        if not await self._settle_overdue(tools, tools.language):
            await self._room.freed(LOOK_FOR_OVERDUE_SECONDS)
        return True

    async def _claim(
        self, tools: AnalysisTools, owner: str, assess: Assess, closed_before: timedelta | None = None
    ) -> bool:
        """A few batches, settled side by side."""
        before = None if closed_before is None else tools.clock.now() - closed_before
        batches = await tools.batches.claim(owner, BATCHES_A_CLAIM, LEASE_SECONDS, retry.BATCHES.tries, before)
        if not batches:
            await tools.batches.bury_exhausted(retry.BATCHES.tries)
            return False
        config = await tools.configs.current()
        await settle_all(self._settle(tools, batch, config, assess) for batch in batches)
        return True

    async def _claim_one(self, tools: AnalysisTools, language: LanguageModelTools, owner: str) -> ClaimedBatch | None:
        batches = await tools.batches.claim(owner, 1, language.lease_seconds, retry.BATCHES.tries)
        if not batches:
            await tools.batches.bury_exhausted(retry.BATCHES.tries)
        return batches[0] if batches else None

    async def _settle_one(self, tools: AnalysisTools, batch: ClaimedBatch) -> None:
        await self._settle(tools, batch, await tools.configs.current(), tools.assessor.assess)

    async def _settle_overdue(self, tools: AnalysisTools, language: LanguageModelTools) -> bool:
        """Every place is taken, and these have waited long enough: stored as events now, the model is asked later."""
        patience = timedelta(seconds=language.assessor.patience_seconds)

        async def assess(evidence: Evidence, config: RuntimeConfig) -> Assessment:
            return language.assessor.unasked(evidence, config)

        async with self._overdue_scope.claim(tools.batches.release):
            return await self._claim(tools, self._overdue_scope.owner, assess, patience)

    async def _settle(self, tools: AnalysisTools, batch: ClaimedBatch, config: RuntimeConfig, assess: Assess) -> None:
        camera_id.set(batch.camera_id)  # for the log; each batch is settled in a task of its own
        try:
            evidence = await tools.evidence.of(batch, config)
            assessment = await assess(evidence, config)
            await tools.events.store(evidence, assessment, config)
            self._done += 1
            if self._again is not None and assessment.standing is AssessmentStanding.PROVISIONAL:
                self._again.wake()
        except LeaseLost as error:
            logger.warning("%s; whoever holds it stores the event", error)
        except StoreUnavailable:
            raise  # the batch is not to blame: it is let go of, and claimed again
        except Exception as error:
            decision = retry.next_try(retry.BATCHES, batch.attempts, tools.random())
            retry_in = decision.seconds if isinstance(decision, retry.RetryIn) else None
            logger.exception("batch %s of %s was not assessed", batch.id, batch.camera_id)
            await tools.batches.fail(batch, f"{type(error).__name__}: {error}", retry_in)
