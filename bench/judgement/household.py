"""What the rows of a household would hold around a scene: baselines of its cameras, quiet hours, earlier events."""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bench.judgement.kinds import Kind
from domain.baseline import BaselineSlot, CameraBaseline, unusualness
from schemas.assessment import RecentEvent, Unusualness
from schemas.runtime_config import RuntimeConfig

ZONES = ("Europe/Berlin", "America/Chicago", "UTC")
CAMERAS = ("Front Door", "Driveway", "Backyard", "Side Gate", "Pool")

# Appearances an hour by day (7-19), in the evening (19-23) and at night, of what each camera sees anyway.
_RATES: Mapping[str, Mapping[str, tuple[float, float, float]]] = {
    "Front Door": {
        "person": (0.9, 0.6, 0.06),
        "car": (0.5, 0.3, 0.04),
        "truck": (0.15, 0.03, 0.0),
        "dog": (0.2, 0.1, 0.01),
        "cat": (0.05, 0.06, 0.06),
        "bicycle": (0.1, 0.05, 0.0),
        "package": (0.1, 0.03, 0.0),
        "bird": (0.1, 0.0, 0.0),
    },
    "Driveway": {
        "person": (0.7, 0.6, 0.05),
        "car": (0.9, 0.9, 0.12),
        "truck": (0.15, 0.03, 0.01),
        "dog": (0.1, 0.08, 0.01),
        "cat": (0.05, 0.06, 0.08),
        "bicycle": (0.08, 0.04, 0.0),
    },
    "Backyard": {
        "person": (0.3, 0.25, 0.01),
        "dog": (0.1, 0.05, 0.01),
        "cat": (0.15, 0.12, 0.15),
        "bird": (0.4, 0.05, 0.0),
    },
    "Side Gate": {"person": (0.15, 0.1, 0.01), "dog": (0.03, 0.02, 0.01), "cat": (0.1, 0.1, 0.15), "bird": (0.1, 0, 0)},
    "Pool": {"person": (0.2, 0.08, 0.005), "cat": (0.05, 0.04, 0.05), "bird": (0.2, 0.0, 0.0)},
}
_QUIET = ((22, 6), (22, 7), (23, 6), (23, 7))


@dataclass(frozen=True, slots=True)
class Household:
    """One house at one moment."""

    timezone: str
    camera: str
    busy: float
    """How much more (or less) than usual goes on there."""
    quiet: tuple[int, int] | None
    """From hour to hour, where it has asked for quiet at all."""
    weeks_known: float


def household(kind: Kind, rng: random.Random) -> Household:
    """Three of four have had their cameras for weeks; the others for hours or days."""
    new = rng.random() < 0.25
    return Household(
        timezone=rng.choice(ZONES),
        camera=rng.choice(kind.places),
        busy=rng.lognormvariate(0, 0.5),
        quiet=rng.choice(_QUIET) if rng.random() < 0.6 else None,
        weeks_known=rng.uniform(0.02, 1.2) if new else rng.uniform(2, 26),
    )


def local_moment(kind: Kind, timezone: str, rng: random.Random) -> datetime:
    """When it happens: a day of a year that is over, an hour by the kind's hours; in UTC."""
    spans, weights = [(a, b) for a, b, _ in kind.hours], [(b - a) * weight for a, b, weight in kind.hours]
    begins, ends = rng.choices(spans, weights)[0]
    midnight = datetime(2025, 1, 6, tzinfo=ZoneInfo(timezone)) + timedelta(days=rng.randrange(350))
    wall = midnight.replace(tzinfo=None) + timedelta(seconds=round(rng.uniform(begins, ends) * 3600))
    return wall.replace(tzinfo=ZoneInfo(timezone)).astimezone(UTC)


def is_quiet(house: Household, at: datetime) -> bool:
    if house.quiet is None:
        return False
    begins, ends = house.quiet
    wall = at.astimezone(ZoneInfo(house.timezone)).time()
    return wall >= time(begins) or wall < time(ends)


def is_dark(house: Household, at: datetime) -> bool:
    """By the season: the sun sets between 17 and 21 and rises between 5 and 8."""
    local = at.astimezone(ZoneInfo(house.timezone))
    summer = (1 - math.cos(2 * math.pi * (local.timetuple().tm_yday + 10) / 365)) / 2
    hour = local.hour + local.minute / 60
    return hour < 8 - 3 * summer or hour > 17 + 4 * summer


def baseline_facts(
    house: Household,
    kind: Kind,
    seen: frozenset[str],
    at: datetime,
    recent: tuple[RecentEvent, ...],
    config: RuntimeConfig,
    rng: random.Random,
) -> tuple[Unusualness, ...]:
    """By the product's own arithmetic over a made-up history: what is added is how often things came, week by week."""
    habit = rng.uniform(*kind.habit)
    decay = config.anomaly_decay_factor
    slots = []
    for object_type in sorted(seen):
        rate = _rate(house, object_type, at) + (habit if rng.random() < 0.9 else 0.0)
        slot: BaselineSlot | None = None
        weight, samples, newest = 0.0, 0, at
        for week in range(1, math.ceil(house.weeks_known)):
            came = _poisson(rate, rng)
            if came:
                newest = at - timedelta(weeks=week) if not samples else newest
                weight, samples = weight + came * math.exp(-decay * 7 * week), samples + came
        if samples:
            # The weight is as of now; a slot keeps it as of its newest appearance.
            grown = weight * math.exp(decay * (at - newest).total_seconds() / 86_400)
            slot = BaselineSlot(object_type, grown, samples, newest)
            slots.append(slot)
    known_since = at - timedelta(weeks=house.weeks_known)
    hourly = sum(sum(rates) / 3 for rates in _RATES[house.camera].values()) * house.busy
    total = _poisson(min(400.0, hourly * house.weeks_known * 168 * 0.6), rng) + sum(s.samples for s in slots)
    hour_began = at.replace(minute=0, second=0, microsecond=0)
    own = [event for event in recent if event.camera_name == house.camera and event.started_at >= hour_began]
    this_hour = {name: sum(name in event.object_types for event in own) for name in seen}
    baseline = CameraBaseline(known_since, total, tuple(slots), this_hour)
    return unusualness(baseline, seen, at, config, house.timezone)


def earlier_events(
    house: Household, kind: Kind, seen: frozenset[str], at: datetime, rng: random.Random
) -> tuple[RecentEvent, ...]:
    """What came before, newest first: of the same happening, and what had nothing to do with it.

    Their scores are drawn without a look at the kind: they are an assessor's, and no assessor has been asked here.
    """
    mine = sorted(seen) or ["person"]
    found: list[tuple[datetime, str, tuple[str, ...]]] = []
    when = at
    for _ in range(rng.randint(*kind.before)):
        when -= timedelta(seconds=rng.uniform(95, 420))
        found.append((when, house.camera, tuple(name for name in mine if rng.random() < 0.85) or (mine[0],)))
    when = at
    for _ in range(rng.randint(*kind.elsewhere)):
        when -= timedelta(seconds=rng.uniform(15, 240))
        other = rng.choice([name for name in CAMERAS if name != house.camera])
        found.append((when, other, tuple(name for name in mine if rng.random() < 0.75) or (mine[0],)))
    for camera, rates in _RATES.items():
        for object_type in rates:
            for _ in range(_poisson(_rate_at(house, camera, object_type, at), rng)):
                found.append((at - timedelta(seconds=rng.uniform(100, 3600)), camera, (object_type,)))
    found.sort(key=lambda one: (one[0], one[1], one[2]), reverse=True)
    return tuple(
        RecentEvent(
            event_id=5000 - place,
            camera_id=camera.lower().replace(" ", "_"),
            camera_name=camera,
            started_at=began,
            risk_score=min(100, max(0, round(rng.gauss(38, 20)))),
            object_types=names,
        )
        for place, (began, camera, names) in enumerate(found[:10])
    )


def _rate(house: Household, object_type: str, at: datetime) -> float:
    return _rate_at(house, house.camera, object_type, at)


def _rate_at(house: Household, camera: str, object_type: str, at: datetime) -> float:
    day, evening, night = _RATES[camera].get(object_type, (0.01, 0.005, 0.002))
    hour = at.astimezone(ZoneInfo(house.timezone)).hour
    return house.busy * (day if 7 <= hour < 19 else evening if 19 <= hour < 23 else night)


def _poisson(mean: float, rng: random.Random) -> int:
    """Knuth's product of uniforms; in pieces, so that the product does not run out of digits."""
    count, left = 0, mean
    while left > 0:
        piece, left = min(left, 30.0), left - 30.0
        product = rng.random()
        while product > math.exp(-piece):
            count, product = count + 1, product * rng.random()
    return count
