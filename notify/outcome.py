"""What became of one try to deliver: a value, never an exception, and never a credential in it."""

from dataclasses import dataclass
from typing import Protocol

from notify.message import AlertMessage

LONGEST_RETRY_AFTER_SECONDS = 300.0


@dataclass(frozen=True)
class Delivered:
    receipt: str
    """What the receiving server answered, cleaned and bounded."""


@dataclass(frozen=True)
class Failed:
    reason: str
    permanent: bool
    """True when the same message would fail again: no further try."""
    retry_after_seconds: float | None = None
    """How long the receiver asked us to wait, at most 300."""


class Channel(Protocol):
    """A way out. `send` raises for programming errors only; whatever goes wrong on the way is a `Failed`."""

    async def send(self, recipient: str, message: AlertMessage) -> Delivered | Failed:
        """One try for one recipient, as `notify.channels.recipients` names it."""
        ...
