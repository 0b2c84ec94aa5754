"""What a prompt states of a batch: chosen, rounded and bounded here, so that what is kept renders the same again."""

from datetime import datetime, time
from hashlib import sha256
from zoneinfo import ZoneInfo

from domain.floors import FORCED_ENTRY
from domain.labels import normalised
from domain.quoting import cleaned
from domain.risk_weights import WEAPONS, night_share, weight_of
from domain.track_facts import tenths
from domain.tracks import MOST_CLASS, UNNAMED, tracks
from schemas.assessment import Evidence, RecentEvent, Unusualness
from schemas.prompt_facts import PartOfDay, PromptFacts, RecentFact, Track, UsualFact
from schemas.runtime_config import RuntimeConfig

MOST_TRACKS, MOST_RECENT, MOST_USUAL, MOST_CLASSES = 40, 10, 8, 3
"""Tracks, earlier events, classes compared with what is usual, and classes named of an earlier event."""
MOST_NAME = 48
"""Bytes of a camera's name, quoted."""

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_GRAVE = WEAPONS | FORCED_ENTRY


def prompt_facts(evidence: Evidence, config: RuntimeConfig, pictures: int = 0) -> PromptFacts:
    """The facts of one batch; the same evidence gives the same facts, in whatever order its rows come."""
    batch = evidence.batch
    local = batch.started_at.astimezone(ZoneInfo(evidence.timezone))
    every = tracks(evidence.detections, batch.started_at)
    chosen = sorted(sorted(range(len(every)), key=lambda number: _importance(every[number]))[:MOST_TRACKS])
    shown = tuple(every[number] for number in chosen)
    return PromptFacts(
        case=case_of(batch.id),
        camera=cleaned(batch.camera_name, MOST_NAME) or cleaned(batch.camera_id, MOST_NAME) or UNNAMED,
        local_time=f"{_WEEKDAYS[local.weekday()]} {local.date().isoformat()} {local:%H:%M}",
        timezone=evidence.timezone,
        part_of_day=part_of_day(local.time()),
        quiet_hours=evidence.quiet_hours,
        seconds=tenths((batch.ended_at - batch.started_at).total_seconds()),
        detection_count=len(evidence.detections),
        tracks=shown,
        tracks_left_out=len(every) - len(shown),
        unusual=_usual(evidence.unusual),
        recent=_recent(evidence.recent, batch.started_at, batch.camera_id),
        bands=config.severity,
        pictures=pictures,
    )


def case_of(batch_id: str) -> str:
    """The name under which a batch is asked about: eight hexadecimal digits, whatever its id looks like."""
    return sha256(batch_id.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def part_of_day(local: time) -> PartOfDay:
    """Night and day where the night's share of the score is whole or nothing, and what lies between."""
    share = night_share(local)
    if share == 0:
        return PartOfDay.DAY
    if share == 1:
        return PartOfDay.NIGHT
    return PartOfDay.EARLY_MORNING if local.hour < 12 else PartOfDay.EVENING


def _importance(track: Track) -> tuple[int, float, int, float]:
    """Smallest first: weapons, forced entry and fire, people, the rest; of each what stayed long."""
    stay = track.last_seen_seconds - track.first_seen_seconds
    return _rank(track.object_type), -stay, -track.sightings, -track.confidence_max


def _rank(object_type: str) -> int:
    if object_type in _GRAVE or weight_of(object_type).presence > weight_of("person").presence:
        return 0
    return 1 if object_type == "person" else 2


def _usual(unusual: tuple[Unusualness, ...]) -> tuple[UsualFact, ...]:
    facts = sorted(unusual, key=lambda fact: (_rank(normalised(fact.object_type)), -fact.deviation, fact.object_type))
    return tuple(
        UsualFact(
            object_type=_class_name(fact.object_type),
            expected_per_hour=round(fact.expected_per_hour, 2) + 0.0,
            deviation=tenths(fact.deviation),
            sample_count=fact.sample_count,
            reliable=fact.reliable,
        )
        for fact in facts[:MOST_USUAL]
    )


def _recent(recent: tuple[RecentEvent, ...], started_at: datetime, camera_id: str) -> tuple[RecentFact, ...]:
    before = [event for event in recent if event.started_at <= started_at]
    newest = sorted(before, key=lambda event: (event.started_at, event.event_id), reverse=True)
    return tuple(
        RecentFact(
            event_id=event.event_id,
            camera=cleaned(event.camera_name, MOST_NAME) or cleaned(event.camera_id, MOST_NAME) or UNNAMED,
            same_camera=event.camera_id == camera_id,
            minutes_before=tenths((started_at - event.started_at).total_seconds() / 60),
            risk_score=event.risk_score,
            object_types=tuple(_class_name(name) for name in event.object_types[:MOST_CLASSES]),
        )
        for event in newest[:MOST_RECENT]
    )


def _class_name(object_type: str) -> str:
    return cleaned(normalised(object_type), MOST_CLASS) or UNNAMED
