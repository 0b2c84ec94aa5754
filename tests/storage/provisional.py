"""Provisional events of tests, on their way to a language model."""

from datetime import datetime
from typing import Any

from schemas.assessment import Assessment, AssessmentStanding, Factor
from schemas.reassessment import ClaimedReassessment
from schemas.severity import Severity, SeverityBands
from schemas.why import Why
from storage.assessments import Assessments
from storage.batches import Batches
from storage.postgres import Pool
from storage.reassessments import Reassessments
from tests.storage.pieces import LEASE, TRIES, assessment, evidence
from tests.storage.rows import NOON, Rows

AWAY = Why(
    factors=(Factor(name="class", points=70.0, because="person"),),
    severity_bands=SeverityBands(),
    timezone="Europe/Berlin",
    because="the language model is away",
)
BY_MODEL = Why(severity_bands=SeverityBands(), timezone="Europe/Berlin")


async def provisional_event(pool: Pool, risk_score: int = 70, *types: str, **batch: Any) -> int:
    """Stored as the pipeline stores it while the model is away; the camera is there."""
    rows = Rows(pool)
    values: dict[str, Any] = {"state": "closed", "closed_at": NOON}
    batch_id = await rows.batch(**(values | batch))
    for object_type in types:
        await rows.detection(batch_id, await rows.media(), object_type=object_type)
    (claimed,) = await Batches(pool).claim("worker", 1, LEASE, TRIES)
    facts = evidence(claimed, detections=await Batches(pool).detections(claimed.id))
    scored = assessment(risk_score, standing=AssessmentStanding.PROVISIONAL, because="the language model is away")
    async with Assessments(pool).begin(claimed) as transaction:
        event_id = await transaction.store_event(facts, scored, Severity.HIGH, AWAY)
        await transaction.queue_reassessment(event_id, risk_score)
    return event_id


async def taken(pool: Pool, owner: str = "worker", lease: float = LEASE) -> ClaimedReassessment:
    (claimed,) = await Reassessments(pool).claim(owner, 1, lease, TRIES)
    return claimed


def by_model(risk_score: int = 90, **values: Any) -> Assessment:
    given = {"assessed_by": "nemotron", "summary": "A stranger at the door", "reasoning": "the model's reasons"}
    return assessment(risk_score, **(given | values))


async def revise(pool: Pool, claimed: ClaimedReassessment, risk_score: int = 90, now: datetime = NOON) -> bool:
    """Whether there was something to revise."""
    async with Assessments(pool).begin_revision(claimed) as revision:
        if revision is None:
            return False
        await revision.revise_event(by_model(risk_score), Severity.CRITICAL, BY_MODEL, now)
    return True
