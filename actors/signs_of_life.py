"""Whether a language model that is loaded still answers, judged from what became of the questions put to it.

answered                                              proven; everything before is forgotten
three rounds without an answer in time                hung
asked all the while, and silent for 180 s             hung
three failures in a row, or one that stays a failure  in trouble, with the reason
"""

from domain.clock import Clock
from language.errors import ModelAway, ModelUnusable

CHECK_EVERY_SECONDS = 60.0
CHECK_AGAIN_SECONDS = 10.0
"""While it is in doubt whether it answers."""
SILENT_SECONDS = 180.0
ROUNDS_UNTIL_HUNG = 3
"""Questions in a row without an answer in time, each put after the one before had ended: many that are put at once and
end at once are one slow round."""
FAILURES_UNTIL_TROUBLE = 3


class SignsOfLife:
    """Of one model, from one load to its end."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._proven_at: float | None = None
        self._busy_since: float | None = None
        self._slow_rounds = 0
        self._round_ended = float("-inf")
        self._failures = 0
        self.trouble: str | None = None
        """Why nobody gets an answer; None while that is not known."""

    @property
    def proven(self) -> bool:
        return self._proven_at is not None

    def busy(self, is_busy: bool) -> None:
        """Whether anything is being asked from now on."""
        self._busy_since = self._clock.monotonic() if is_busy else None

    def replied(self) -> None:
        """Something came back, be it an answer or not."""
        self._slow_rounds, self._failures = 0, 0

    def answered(self) -> None:
        self._proven_at = self._clock.monotonic()
        self.trouble = None

    def was_slow(self, began: float) -> None:
        """A question put at that moment had no answer in its time."""
        if began <= self._round_ended:
            return  # of the round that is counted
        self._round_ended = self._clock.monotonic()
        self._slow_rounds += 1
        if self._slow_rounds >= ROUNDS_UNTIL_HUNG:
            self.trouble = (
                f"{self._slow_rounds} questions in a row had no answer in their time: see what else keeps the model's "
                "machine busy, or raise NEMOTRON_TIMEOUT_SECONDS"
            )

    def failed(self, error: ModelAway) -> None:
        self._failures += 1
        if isinstance(error, ModelUnusable) or self._failures >= FAILURES_UNTIL_TROUBLE:
            self.trouble = error.reason

    def hang(self) -> str | None:
        """Why it must be started again; None while there is no reason to think so."""
        if self._slow_rounds >= ROUNDS_UNTIL_HUNG:
            return f"the language model hung: {self._slow_rounds} questions in a row had no answer in their time"
        silent_since = max(self._busy_since or 0.0, self._proven_at or 0.0)
        if self._busy_since is not None and self._clock.monotonic() - silent_since > SILENT_SECONDS:
            return f"the language model hung: nobody had an answer for {SILENT_SECONDS:.0f} s"
        return None

    def wants_check(self, last_check_ended: float) -> bool:
        """Whether it is time for the known question."""
        since, every = last_check_ended, CHECK_AGAIN_SECONDS
        if self._proven_at is not None and not (self.trouble or self._slow_rounds or self._failures):
            since, every = max(self._proven_at, last_check_ended), CHECK_EVERY_SECONDS
        return self._clock.monotonic() - since >= every

    def seconds_since_proof(self) -> float | None:
        return None if self._proven_at is None else max(0.0, self._clock.monotonic() - self._proven_at)
