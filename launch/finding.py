"""What an examination of the machine finds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `mend` also where it is good and could be better."""

    what: str
    good: bool
    message: str
    mend: str | None = None
