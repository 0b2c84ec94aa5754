"""What the analyzer counts of its questions: how many, what became of them, and how long answers take."""

from collections import deque
from typing import Any

from actors.metrics import LANGUAGE_MODEL_QUESTIONS, LANGUAGE_MODEL_SECONDS
from schemas.language import Reply

ROLLING_ANSWERS = 50
MINUTE_SECONDS = 60.0


class AnswerFigures:
    """Counts since the process started; the known question is not among them."""

    def __init__(self) -> None:
        self._counts = dict.fromkeys(("answered", "too_slow", "failed", "refused", "cancelled", "busy"), 0)
        self._asked = 0
        self._prompt_tokens = 0
        self._completion_tokens = 0
        self._seconds: deque[float] = deque(maxlen=ROLLING_ANSWERS)
        self._answered_at: deque[float] = deque()

    def asked(self) -> None:
        self._asked += 1

    def ended(self, outcome: str) -> None:
        """`too_slow`, `failed`, `refused`, `busy`, or `cancelled` by whoever asked."""
        self._counts[outcome] += 1
        LANGUAGE_MODEL_QUESTIONS.labels(outcome).inc()

    def answered(self, reply: Reply, seconds: float, now: float) -> None:
        self.ended("answered")
        self._prompt_tokens += reply.prompt_tokens or 0
        self._completion_tokens += reply.completion_tokens or 0
        self._seconds.append(seconds)
        self._answered_at.append(now)
        LANGUAGE_MODEL_SECONDS.observe(seconds)

    def describe(self, now: float) -> dict[str, Any]:
        while self._answered_at and now - self._answered_at[0] > MINUTE_SECONDS:
            self._answered_at.popleft()
        return {
            "questions": self._asked,
            "answers": self._counts["answered"],
            "timeouts": self._counts["too_slow"],
            "failures": self._counts["failed"],
            "refused": self._counts["refused"],
            "cancelled": self._counts["cancelled"],
            "sent_away_busy": self._counts["busy"],
            "answers_last_minute": len(self._answered_at),
            "prompt_tokens": self._prompt_tokens,
            "completion_tokens": self._completion_tokens,
            "seconds_per_answer": round(sum(self._seconds) / len(self._seconds), 3) if self._seconds else None,
        }
