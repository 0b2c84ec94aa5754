"""Questions as the assessor puts them, small."""

from typing import Any

from schemas.language import Question

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["case", "reasoning", "risk_score"],
    "properties": {
        "case": {"enum": ["case-1"]},
        "reasoning": {"type": "string", "pattern": "^[ -!#-\\[\\]-~]{1,80}$"},
        "risk_score": {"type": "integer", "minimum": 0, "maximum": 100},
    },
}
EVERYTHING: dict[str, Any] = {
    "id": "batch-1",
    "system": "You judge what a home's cameras saw.",
    "user": "A person at the front door at 03:12.",
    "answer_schema": SCHEMA,
    "within_seconds": 30.0,
}


def question(**changes: Any) -> Question:
    return Question(**(EVERYTHING | changes))
