"""A revision: what may be written when a provisional event is assessed again."""

from datetime import datetime

import asyncpg

from schemas.assessment import Assessment, AssessmentStanding
from schemas.frame_types import EventUpdated, frame
from schemas.reassessment import ClaimedReassessment
from schemas.severity import Severity
from schemas.why import EarlierAssessment, Why
from storage.alerting_transaction import AlertingTransaction
from storage.errors import LeaseLost
from storage.postgres import PooledConnection
from storage.whys import read_why, storable, storable_text

_ASSESSED = "risk_score, risk_level, summary, reasoning, assessment, assessed_by"


async def take_up(connection: PooledConnection, claimed: ClaimedReassessment) -> "Revision | None":
    """Marks the reassessment as done under its lease; see `Assessments.begin_revision`.

    The event's row is locked first, as the clean-up does, so that the two cannot wait for one another.
    """
    row = await connection.fetchrow(
        f"SELECT id, {_ASSESSED}, why, created_at FROM events WHERE id = $1 FOR UPDATE", claimed.event_id
    )
    if row is None:
        return None
    mine = await connection.fetchval(
        """
        UPDATE reassessments SET state = 'done', reason = NULL, finished_at = now(), lease = NULL, lease_until = NULL
        WHERE id = $1 AND lease = $2 AND state = 'assessing' RETURNING id
        """,
        claimed.event_id,
        claimed.lease,
    )
    if mine is None:
        raise LeaseLost(f"the reassessment of event {claimed.event_id} is no longer held under this lease")
    return Revision(connection, row) if row["assessment"] == AssessmentStanding.PROVISIONAL.value else None


class Revision(AlertingTransaction):
    """The event's row is ours until the commit; what a person wrote on it stays."""

    def __init__(self, connection: PooledConnection, row: asyncpg.Record) -> None:
        super().__init__(connection)
        self._row = row

    @property
    def stored_at(self) -> datetime:
        stored_at: datetime = self._row["created_at"]
        return stored_at

    async def revise_event(self, assessment: Assessment, level: Severity, why: Why, now: datetime) -> tuple[str, ...]:
        """Puts a final assessment in the provisional one's place, which is kept in `why.earlier`.

        Answers the names of the fields that changed.
        """
        if assessment.standing is not AssessmentStanding.FINAL:
            raise ValueError("a revision is final: a provisional one would never be assessed again")
        event_id: int = self._row["id"]
        stored = read_why(event_id, self._row["why"])
        chain = why.model_copy(update={"earlier": (*stored.earlier, _earlier(self._row, stored, now))})
        after = {
            "risk_score": assessment.risk_score,
            "risk_level": level.value,
            "summary": storable_text(assessment.summary),
            "reasoning": storable_text(assessment.reasoning),
            "assessment": assessment.standing.value,
            "assessed_by": storable_text(assessment.assessed_by),
        }
        await self._connection.execute(
            f"UPDATE events SET ({_ASSESSED}) = ($2, $3, $4, $5, $6, $7), why = $8, updated_at = now() WHERE id = $1",
            event_id,
            *after.values(),
            storable(chain),
        )
        changed = tuple(field for field, value in after.items() if value != self._row[field])
        self.news.append(
            frame(EventUpdated(id=event_id, updated_fields=changed, risk_score=assessment.risk_score, risk_level=level))
        )
        return changed


def _earlier(row: asyncpg.Record, stored: Why, now: datetime) -> EarlierAssessment:
    return EarlierAssessment(
        **{field: row[field] for field in _ASSESSED.split(", ")},
        because=stored.because,
        factors=stored.factors,
        model=stored.model,
        rules=stored.rules,
        replaced_at=now,
    )
