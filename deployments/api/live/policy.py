"""How long and how much a live connection may take; figures of the contract, smaller ones in tests."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LivePolicy:
    ping_seconds: float = 30.0
    """How often the server says ping."""
    silence_seconds: float = 300.0
    """A client from which nothing came for so long is let go, pongs included."""
    most_frames: int = 1000
    """How many frames wait for a slow client before it loses its oldest: as many as a resync can bring back."""
    most_replies: int = 16
    """How many answers wait for a client that asks and does not read; then it is read no further."""
    most_message_chars: int = 16_384
    goodbye_seconds: float = 5.0
    """How long a close may take with a client that does not read."""
    status_seconds: float = 5.0
    """How often /ws/system says how the system is."""
    late_seconds: float = 0.5
    """By how much the publisher may be late before the replica makes the status itself."""
