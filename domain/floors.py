"""Hard floors: what lifts a score to `high` whoever gave it, and whatever was said to make it lower.

Three things do: a class that is a weapon was detected; a class that stands for forced entry was detected, which only
detectors trained for it know; or the model itself named the sign `weapon` or `forced_entry` beside a lower score.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.answer import Sign
from domain.risk_weights import WEAPONS
from domain.sightings import sightings
from schemas.assessment import Evidence
from schemas.runtime_config import RuntimeConfig

FORCED_ENTRY = frozenset(
    (
        "bolt_cutter",
        "bolt_cutters",
        "break_in",
        "breaking_in",
        "broken_door",
        "broken_glass",
        "broken_lock",
        "broken_window",
        "burglary",
        "crowbar",
        "forced_door",
        "forced_entry",
        "forced_window",
        "lock_pick",
        "lock_picking",
        "lockpick",
        "lockpicking",
        "pry_bar",
        "smashed_window",
    )
)
"""Normalised classes of custom detectors; public ones know none of them."""

_SIGNS = {Sign.WEAPON: "a weapon", Sign.FORCED_ENTRY: "forced entry"}


@dataclass(frozen=True, slots=True)
class Floor:
    """A score that no assessment goes below."""

    score: int
    because: str


def floor(evidence: Evidence, signs: Sequence[Sign], config: RuntimeConfig) -> Floor | None:
    """The lowest score of `high` by the configured bands, where something calls for it."""
    seen = sightings(evidence.detections)
    grounds = [f"{one} was seen" for one in seen if one.object_type in WEAPONS | FORCED_ENTRY]
    grounds += [f"the model named {_SIGNS[sign]}" for sign in dict.fromkeys(signs) if sign in _SIGNS]
    if not grounds:
        return None
    return Floor(config.severity.medium_max + 1, f"{' and '.join(grounds)}: high at least")
