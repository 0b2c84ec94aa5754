"""The language model's known question: short, always the same, with one right answer; it shows that a model answers.

What is judged is whether an answer of the right form comes. Whether it is the right one is told beside it
(`understood`): a model too small to know it still answers, and its scores are bounded like any other's.
"""

import json
from typing import Any

from schemas.language import Question, Reply

PRIORITY = 2000
MOST_TOKENS = 120
_INCIDENTS = ("parcel_delivered", "window_broken", "cat_walking")
_RIGHT = "window_broken"
_SYSTEM = "You classify what a security camera saw. Answer with one JSON object and nothing else."
_USER = (
    'Seen: "a masked person smashed the window with a hammer and climbed in".\n'
    'Which of parcel_delivered, window_broken, cat_walking is it? Answer as {"incident": "..."}.'
)
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["incident"],
    "properties": {"incident": {"type": "string", "enum": list(_INCIDENTS)}},
}


def known_question(question_id: str, within_seconds: float, picture: bytes | None = None) -> Question:
    """With a picture, for a model that is to see: one that does not refuses it."""
    return Question(
        id=question_id,
        system=_SYSTEM,
        user=_USER,
        answer_schema=_SCHEMA,
        temperature=0.0,
        most_tokens=MOST_TOKENS,
        priority=PRIORITY,
        within_seconds=within_seconds,
        pictures=(picture,) if picture is not None else (),
    )


def fault_of(reply: Reply) -> str | None:
    """Why this is no answer; None when it is one."""
    if reply.text is None:
        return "it ended its answer to the known question without any text: switch NEMOTRON_THINKING off"
    if _incident(reply.text) is None:
        return f"its answer to the known question is none of those asked for: {reply.text[:80]!r}"
    return None


def is_right(reply: Reply) -> bool:
    return reply.text is not None and _incident(reply.text) == _RIGHT


def _incident(text: str) -> str | None:
    try:
        answer = json.loads(text, strict=False)
    except ValueError:
        return None
    incident = answer.get("incident") if isinstance(answer, dict) else None
    return incident if isinstance(incident, str) and incident in _INCIDENTS else None
