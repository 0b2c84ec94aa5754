"""An event's why-chain as its column holds it: JSON that PostgreSQL accepts, and read back whoever wrote it."""

from typing import Any

from pydantic import BaseModel, ValidationError

from schemas.event_why import EventWhy, ReassessmentProgress
from schemas.why import Why
from storage.errors import NotFound, StoreError
from storage.postgres import Pool, store_errors


class Whys:
    """The why-chains of stored events."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @store_errors()
    async def get(self, event_id: int) -> EventWhy:
        """Raises NotFound."""
        row = await self._pool.fetchrow(
            """
            SELECT e.risk_score, e.risk_level, e.assessment, e.assessed_by, e.why, r.state, r.attempts, r.reason,
                   r.queued_at, r.finished_at
            FROM events e LEFT JOIN reassessments r ON r.id = e.id WHERE e.id = $1
            """,
            event_id,
        )
        if row is None:
            raise NotFound(f"there is no event {event_id}")
        event = {name: row[name] for name in ("risk_score", "risk_level", "assessment", "assessed_by")}
        progress = {name: row[name] for name in ReassessmentProgress.model_fields}
        return EventWhy(
            event_id=event_id,
            **event,
            why=read_why(event_id, row["why"]),
            reassessment=None if row["state"] is None else ReassessmentProgress(**progress),
        )


def storable(value: BaseModel) -> Any:
    """As JSON for a `jsonb` column. It has no room for NUL and half characters, which a model's raw answer may hold:
    each becomes the replacement character."""
    return _clean(value.model_dump(mode="json"))


def read_why(event_id: int, stored: Any) -> Why:
    """What an earlier version did not write has its default. Raises StoreError for what no version wrote."""
    try:
        return Why.model_validate(stored)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"]) or "why"
        raise StoreError(f"the why-chain of event {event_id} cannot be read: {where}") from error


def storable_text(text: str) -> str:
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, dict):
        return {storable_text(key): _clean(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_clean(inner) for inner in value]
    return value
