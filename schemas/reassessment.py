"""A reassessment: a provisional event on its way to the language model.

waiting ──claim──▶ assessing ──commit──▶ done
                       └──after the last try──▶ dead (the event stays provisional)
"""

from enum import StrEnum

from schemas.batch import ClaimedBatch
from schemas.detection import Detection
from schemas.frozen import Frozen
from schemas.severity import Severity
from schemas.why import Why


class ReassessmentState(StrEnum):
    WAITING = "waiting"
    ASSESSING = "assessing"
    DONE = "done"
    DEAD = "dead"


class ClaimedReassessment(Frozen):
    """A provisional event leased to one worker, with all that is needed to assess it again."""

    event_id: int
    risk_score: int
    """The provisional one."""
    risk_level: Severity
    summary: str
    reasoning: str
    assessed_by: str
    why: Why
    """As it was stored; `why.unusual` is the baseline of then, before this event itself was counted in it."""
    batch: ClaimedBatch
    """The event's batch; its `attempts` and `lease` are those of the reassessment."""
    detections: tuple[Detection, ...]
    """In the order in which their pictures were taken."""
    attempts: int
    lease: str
