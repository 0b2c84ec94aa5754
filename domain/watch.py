"""One service under watch: its failures and restarts, the patience it is given, and a person's hand on it."""

from datetime import datetime, timedelta

from domain.supervision import Nothing, Observation, Restart, Supervision, SupervisionPolicy, Wait

PATIENCE_SECONDS = 60.0


class Watch:
    """What is known of one service between looks. Times are seconds by a clock that never goes back."""

    def __init__(self, policy: SupervisionPolicy | None = None, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._patience_seconds = patience_seconds
        self._supervision = Supervision(policy)
        self._proven = False
        self._unproven_since: float | None = None
        self.last_restart: datetime | None = None
        self.in_hand = False
        """A person's wish is being carried out: nothing else is to start or end it."""
        self.healing = False
        """The supervisor itself is starting it again."""
        self.turn = 0
        """Rises with each wish: a probe that began in an earlier turn says nothing about this one."""

    @property
    def failure_count(self) -> int:
        return self._supervision.restarts + self._supervision.failures

    @property
    def restarts(self) -> int:
        return self._supervision.restarts

    def see(
        self, observed: Observation, now: float, *, enabled: bool = True, turn: int | None = None
    ) -> tuple[Observation, Restart | Wait | Nothing]:
        """What the probe means, and what to do about it."""
        if not enabled:
            return observed, self._supervision.observe(observed, now, enabled=False)
        if self.in_hand or turn not in (None, self.turn):
            return (observed if observed is Observation.HEALTHY else Observation.STARTING), Nothing()
        meant = self._with_patience(observed, now)
        return meant, self._supervision.observe(meant, now)

    def restarted(self, at: datetime) -> None:
        """It was started again, and is given time to come up."""
        self.last_restart = at
        self._proven = False
        self._unproven_since = None

    def take_in_hand(self) -> None:
        self.in_hand = True
        self.turn += 1

    def let_go(self) -> None:
        """The wish is carried out: what failed before is forgiven, and it has its time to come up."""
        self.in_hand = False
        self.turn += 1
        self._supervision.forgive()
        self._proven = False
        self._unproven_since = None

    def comes_up(self, observed: Observation) -> bool:
        """Whether it is there, and has not been healthy since it was started."""
        return observed is Observation.FAILING and not self._proven

    def next_restart_at(self, now: float, at: datetime) -> datetime | None:
        """When a restart is due if it keeps failing, by the clock on the wall, which reads `at` now."""
        due = self._supervision.next_due()
        return None if due is None else at + timedelta(seconds=max(0.0, due - now))

    def _with_patience(self, observed: Observation, now: float) -> Observation:
        """A service that has not been healthy since it was started is given time; one that stays away is not."""
        if observed is Observation.HEALTHY:
            self._proven = True
            self._unproven_since = None
            return observed
        if self._proven and observed is not Observation.STARTING:
            return observed
        if self._unproven_since is None:
            self._unproven_since = now
        if now - self._unproven_since < self._patience_seconds:
            return Observation.STARTING
        return Observation.DEAD if observed is Observation.STARTING else observed
