"""Has a language model score a batch, and says so where it could not: then the fixed rules score it, provisionally.

    facts ─▶ prompt ─▶ turn ─▶ breaker ─▶ ask ─▶ read ──good───────────────────────────▶ final
                         │        │        │       └─malformed─▶ ask once more, temperature 0 ─▶ final
                         └────────┴────────┴─busy, open, away, too slow, refused, malformed twice─▶ provisional

A few more are prepared than the model takes at once, and while it is quick a few of these are asked ahead, so that the
next question lies before it when it has answered one. The others wait here for their turn; their time begins with it.

Both tries share one budget of time, and one admission by the breaker, which hears exactly once how it went: an answer
is a success; away, too slow and malformed twice are failures, so that a model that only talks nonsense is left alone
for a while like one that is not there; a refused question, one that a busy model sent away and a call that was
cancelled say nothing about the service.
When it dies nothing is lost: the batch or event that it was asked about is a row.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from uuid import uuid4

from actors.asking import Asking
from actors.key_pictures import KeyPictures
from actors.metrics import LANGUAGE_MODEL_TOKENS, MODEL_ASSESSMENT_SECONDS, MODEL_ASSESSMENTS
from actors.ports import BreakersPort, LanguageModelPort
from actors.question_turns import Turns
from domain.answer import MOST_TOKENS, Answer, Fault, answer_schema, read_answer
from domain.circuit_breaker import Admitted, Rejected
from domain.clock import Clock
from domain.model_assessment import final_assessment
from domain.plain_text import plain
from domain.prompt import render
from domain.prompt_facts import prompt_facts
from domain.risk import assess
from language.errors import ModelAway, ModelBusy, ModelTooSlow, QuestionRefused
from schemas.assessment import Assessment, AssessmentStanding, Evidence, ModelTrace
from schemas.language import Question, Reply
from schemas.prompt_facts import PromptFacts
from schemas.runtime_config import RuntimeConfig

logger = logging.getLogger(__name__)

BREAKER = "nemotron"
TEMPERATURES = (0.2, 0.0)
"""Of the first try and of the one after a malformed answer."""
GRACE_SECONDS = 7.0
"""On top of a question's time, for the way to the model and back; after that a deployment that hangs is given up."""
LEAST_SECONDS = 1.0
"""A second try is not begun with less than this left."""
QUICK_SHARE = 0.25
"""A model is quick while it answers in less than this share of the time that it has."""
NEWEST_SHARE = 0.2
"""Of the newest answer in the mean time that one takes."""
URGENT_PRIORITY = -1000
AGAIN_PRIORITY = 1000
_MOST_REASON = 300


class Outcome(StrEnum):
    """What became of asking the model."""

    ANSWERED = "answered"
    AWAY = "away"
    """It was not there, or its breaker is open."""
    BUSY = "busy"
    """It works, and sent the question away for want of room."""
    TOO_SLOW = "too_slow"
    REFUSED = "refused"
    """It works, and this question cannot be put to it."""
    MALFORMED = "malformed"
    NOT_ASKED = "not_asked"
    """All its places were taken for too long."""


SAYS_NOTHING = frozenset((Outcome.REFUSED, Outcome.BUSY))
"""Of whether the model works: its breaker counts them neither way."""


@dataclass(frozen=True)
class AskingPlan:
    within_seconds: float
    """For one assessment from its turn on, its second try included."""
    patience_seconds: float = 30.0
    """So long after it was closed a batch waits for its turn."""
    at_once: int = 8
    """How many questions the model takes at once."""
    ahead: int = 0
    """So many more are asked while it is quick: they wait for their turn over there, in their own time."""


@dataclass(frozen=True)
class Judgement:
    assessment: Assessment
    outcome: Outcome


@dataclass(frozen=True)
class _NoAnswer:
    outcome: Outcome
    because: str


class ModelAssessor:
    """A language model behind the question that the deterministic assessor answers too."""

    def __init__(
        self,
        model: LanguageModelPort,
        breakers: BreakersPort,
        clock: Clock,
        plan: AskingPlan,
        pictures: KeyPictures | None = None,
    ) -> None:
        """`pictures`: for a model that sees."""
        self._model = model
        self._breakers = breakers
        self._clock = clock
        self._plan = plan
        self._turns = Turns(plan.at_once)
        self._pictures = pictures
        self._mean_seconds: float | None = None
        self.answered = 0
        """Assessments that the model has given."""

    @property
    def patience_seconds(self) -> float:
        """So long after it was closed a batch waits for its turn."""
        return self._plan.patience_seconds

    @property
    def waiting(self) -> int:
        """Assessments that are prepared and wait for their turn."""
        return self._turns.waiting

    async def assess(self, evidence: Evidence, config: RuntimeConfig) -> Assessment:
        return (await self.judge(evidence, config)).assessment

    async def judge(self, evidence: Evidence, config: RuntimeConfig, then: PromptFacts | None = None) -> Judgement:
        """`then`: the facts that were kept with the event, where it is assessed again; it is then less pressing."""
        fallback = assess(evidence, config, AssessmentStanding.PROVISIONAL)
        asking = await self._asking(evidence, config, then, fallback.risk_score)
        found = await self._in_turn(asking, self._longest_wait(evidence) if then is None else self._plan.within_seconds)
        outcome = found.outcome if isinstance(found, _NoAnswer) else Outcome.ANSWERED
        MODEL_ASSESSMENTS.labels(outcome.value).inc()
        if isinstance(found, _NoAnswer):
            return Judgement(_provisional(fallback, found.because, asking.trace()), outcome)
        self.answered += 1
        return Judgement(final_assessment(found, evidence, config, asking.trace()), outcome)

    def unasked(self, evidence: Evidence, config: RuntimeConfig) -> Assessment:
        """A provisional assessment of a batch that has waited too long, with the facts as they are now."""
        facts = prompt_facts(evidence, config)
        fallback = assess(evidence, config, AssessmentStanding.PROVISIONAL)
        MODEL_ASSESSMENTS.labels(Outcome.NOT_ASKED.value).inc()
        return _provisional(fallback, self._too_busy(), Asking(facts, render(facts), (), 0).trace())

    def _too_busy(self) -> str:
        patience = self._plan.patience_seconds
        return f"the language model was busy for more than {patience:g} s after the batch was closed"

    def _longest_wait(self, evidence: Evidence) -> float:
        """What is left of a closed batch's patience, in seconds."""
        waited = (self._clock.now() - evidence.batch.closed_at).total_seconds()
        return max(0.0, self._plan.patience_seconds - waited)

    async def _asking(self, evidence: Evidence, config: RuntimeConfig, then: PromptFacts | None, score: int) -> Asking:
        pictures = await self._pictures.of(evidence.detections) if self._pictures is not None else ()
        if then is None:
            facts = prompt_facts(evidence, config, pictures=len(pictures))
            priority = URGENT_PRIORITY if evidence.urgent else 100 - score
        else:
            facts = then.model_copy(update={"bands": config.severity, "pictures": len(pictures)})
            priority = AGAIN_PRIORITY - score
        return Asking(facts, render(facts), pictures, priority)

    async def _in_turn(self, asking: Asking, longest_wait: float) -> Answer | _NoAnswer:
        try:
            async with asyncio.timeout(longest_wait):
                await self._turns.take(asking.priority)
        except TimeoutError:
            return _NoAnswer(Outcome.NOT_ASKED, self._too_busy())
        began = self._clock.monotonic()
        try:
            found = await self._under_breaker(asking)
        finally:
            self._turns.give_back()
        if isinstance(found, Answer):
            MODEL_ASSESSMENT_SECONDS.observe(self._clock.monotonic() - began)
        return found

    async def _under_breaker(self, asking: Asking) -> Answer | _NoAnswer:
        admission = await self._breakers.admit(BREAKER)
        if isinstance(admission, Rejected):
            return _NoAnswer(Outcome.AWAY, f"the circuit breaker {BREAKER} is open after repeated failures")
        report: Callable[[str, Admitted], Awaitable[None]] = self._breakers.released
        try:
            found = await self._tries(asking)
            if isinstance(found, Answer):
                report = self._breakers.succeeded
            elif found.outcome not in SAYS_NOTHING:
                report = self._breakers.failed
            return found
        finally:
            await asyncio.shield(asyncio.ensure_future(report(BREAKER, admission)))

    async def _tries(self, asking: Asking) -> Answer | _NoAnswer:
        ends = self._clock.monotonic() + self._plan.within_seconds
        fault = ""
        for temperature in TEMPERATURES:
            left = ends - self._clock.monotonic()
            if asking.attempts and left < LEAST_SECONDS:
                break
            found = await self._try(asking, temperature, left)
            if not isinstance(found, Fault):
                return found
            fault = found.reason
        times = "once" if len(asking.attempts) == 1 else "twice"
        return _NoAnswer(Outcome.MALFORMED, f"the language model gave no usable answer, asked {times}: {fault}")

    async def _try(self, asking: Asking, temperature: float, left: float) -> Answer | Fault | _NoAnswer:
        question = Question(
            id=f"{asking.facts.case}-{uuid4().hex}",
            system=asking.prompt.system,
            user=asking.prompt.user,
            answer_schema=answer_schema(asking.facts.case, asking.facts.bands),
            temperature=temperature,
            most_tokens=MOST_TOKENS,
            priority=asking.priority,
            within_seconds=left,
            pictures=tuple(picture.jpeg for picture in asking.pictures),
        )
        began = self._clock.monotonic()
        try:
            async with asyncio.timeout(left + GRACE_SECONDS):
                reply = await self._model.ask(question)
        except Exception as error:
            why = self._why_not(error)
            if why.outcome is Outcome.TOO_SLOW:
                self._took(self._plan.within_seconds)
            asking.note(temperature, self._clock.monotonic() - began, why.because)
            return why
        seconds = self._clock.monotonic() - began
        self._took(reply.seconds)
        LANGUAGE_MODEL_TOKENS.labels("prompt").inc(reply.prompt_tokens or 0)
        LANGUAGE_MODEL_TOKENS.labels("completion").inc(reply.completion_tokens or 0)
        found = _read(reply, question, asking.facts)
        asking.note(temperature, seconds, found.reason if isinstance(found, Fault) else None, reply)
        return found

    def _took(self, seconds: float) -> None:
        """Asks ahead, or no longer: a model that needs much of its time has none for a question to wait in."""
        mean = seconds if self._mean_seconds is None else self._mean_seconds
        self._mean_seconds = mean + NEWEST_SHARE * (seconds - mean)
        quick = self._mean_seconds < QUICK_SHARE * self._plan.within_seconds
        self._turns.at_once = self._plan.at_once + (self._plan.ahead if quick else 0)

    def _why_not(self, error: Exception) -> _NoAnswer:
        """Whatever went wrong on the way to a model or in it, the batch gets its event all the same."""
        if isinstance(error, ModelTooSlow | TimeoutError):
            return _NoAnswer(
                Outcome.TOO_SLOW, f"the language model gave no answer within {self._plan.within_seconds:g} s"
            )
        if isinstance(error, QuestionRefused):
            reason = plain(error.reason, _MOST_REASON)
            return _NoAnswer(Outcome.REFUSED, f"the language model cannot be asked this: {reason}")
        if isinstance(error, ModelBusy):
            reason = plain(error.reason.removeprefix("busy: "), _MOST_REASON)
            return _NoAnswer(Outcome.BUSY, f"the language model is busy: {reason}")
        if not isinstance(error, ModelAway):
            logger.warning("the language model could not be asked", exc_info=error)
        reason = error.reason if isinstance(error, ModelAway) else f"{type(error).__name__}: {error}"
        return _NoAnswer(Outcome.AWAY, f"the language model is away: {plain(reason, _MOST_REASON)}")


def _read(reply: Reply, question: Question, facts: PromptFacts) -> Answer | Fault:
    if reply.id != question.id:
        return Fault("the reply belongs to another question")
    return read_answer(reply, facts.case, facts.bands)


def _provisional(fallback: Assessment, because: str, trace: ModelTrace) -> Assessment:
    return fallback.model_copy(update={"because": because, "trace": trace})
