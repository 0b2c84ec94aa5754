"""The prompt: a versioned text, the same for every case, and the case's facts as JSON that nothing in them can leave.

    system   domain/prompts/<version>/system.txt: the long fixed part comes first, so that servers can cache it
    user     domain/prompts/<version>/user.txt with the facts between its two marks, and the question again at the end

A version never changes once it has asked about an event: that event's prompt must come out the same, byte for byte. To
say something else, add a folder and, where the facts are to be laid out otherwise, a layout.
"""

import json
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files

from domain.prompt_facts import MOST_NAME
from domain.quoting import cleaned, quoted
from domain.severity import definitions
from domain.tracks import MOST_CLASS
from schemas.frozen import Frozen
from schemas.prompt_facts import PromptFacts, RecentFact, Track, UsualFact
from schemas.severity import SeverityBands

CURRENT = "v1"

_GAP = re.compile(r"\{(facts|case|levels)\}")


class Prompt(Frozen):
    version: str
    system: str
    user: str
    sha256: str
    """Of the system text, a zero byte, and the user text, in UTF-8."""


class UnknownPromptVersion(ValueError):
    """An event's why-chain, or a caller, names a version that this build does not hold."""

    def __init__(self, version: str, known: tuple[str, ...]) -> None:
        super().__init__(version, known)
        self.version, self.known = version, known

    def __str__(self) -> str:
        return f"there is no prompt version {self.version!r}; this build has {', '.join(self.known)}"


def render(facts: PromptFacts, version: str = CURRENT) -> Prompt:
    """What the model is told of these facts. UnknownPromptVersion for a version that is not here."""
    if version not in _LAYOUTS:
        raise UnknownPromptVersion(version, tuple(_LAYOUTS))
    said = {"facts": _LAYOUTS[version](facts), "case": facts.case, "levels": _levels(facts.bands)}
    system = _text(version, "system.txt")
    user = _GAP.sub(lambda gap: said[gap[1]], _text(version, "user.txt"))
    digest = sha256(f"{system}\0{user}".encode()).hexdigest()
    return Prompt(version=version, system=system, user=user, sha256=digest)


@lru_cache
def _text(version: str, name: str) -> str:
    return (files("domain") / "prompts" / version / name).read_text("utf-8").rstrip("\n")


def _levels(bands: SeverityBands) -> str:
    """`low 0-29, medium 30-59, high 60-84, critical 85-100`."""
    return ", ".join(f"{one.severity} {one.min_score}-{one.max_score}" for one in definitions(bands))


def _facts_v1(facts: PromptFacts) -> str:
    """One line for each field, track, class and earlier event; their number does not depend on what names say."""
    return _lines(
        {
            "case": _json(facts.case),
            "camera": _outside(facts.camera, MOST_NAME),
            "local_time": _json(facts.local_time),
            "part_of_day": _json(facts.part_of_day),
            "quiet_hours": _json(facts.quiet_hours),
            "seconds": _json(facts.seconds),
            "detections": _json(facts.detection_count),
            "pictures": _json(facts.pictures),
            "tracks": _list(_track_v1(track) for track in facts.tracks),
            "tracks_left_out": _json(facts.tracks_left_out),
            "usual": _list(_usual_v1(fact) for fact in facts.unusual),
            "recent_events": _list(_recent_v1(fact) for fact in facts.recent),
        }
    )


def _track_v1(track: Track) -> str:
    return _object(
        {
            "class": _outside(track.object_type, MOST_CLASS),
            "seconds": _json([track.first_seen_seconds, track.last_seen_seconds]),
            "seen": _json(track.sightings),
            "confidence": _json([track.confidence_mean, track.confidence_max]),
            "movement": _json(track.movement),
            "place": _json([track.from_place, track.to_place]),
            "box": _json(track.largest_box),
        }
    )


def _usual_v1(fact: UsualFact) -> str:
    """What rests on too few samples is not told: a figure would be believed."""
    return _object(
        {
            "class": _outside(fact.object_type, MOST_CLASS),
            "expected_per_hour": _json(fact.expected_per_hour if fact.reliable else None),
            "deviation": _json(fact.deviation if fact.reliable else None),
            "samples": _json(fact.sample_count),
            "enough_samples": _json(fact.reliable),
        }
    )


def _recent_v1(fact: RecentFact) -> str:
    return _object(
        {
            "camera": _outside(fact.camera, MOST_NAME),
            "same_camera": _json(fact.same_camera),
            "minutes_before": _json(fact.minutes_before),
            "score": _json(fact.risk_score),
            "classes": f"[{', '.join(_outside(name, MOST_CLASS) for name in fact.object_types)}]",
        }
    )


_LAYOUTS: dict[str, Callable[[PromptFacts], str]] = {"v1": _facts_v1}


def _outside(text: str, most: int) -> str:
    return quoted(cleaned(text, most))


def _json(value: object) -> str:
    """Our own words and figures. 42.0 is written 42."""
    return json.dumps(_short(value), allow_nan=False, separators=(",", ":"))


def _short(value: object) -> object:
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    return [_short(one) for one in value] if isinstance(value, list | tuple) else value


def _object(fields: dict[str, str]) -> str:
    return f"{{{', '.join(f'{quoted(name)}: {value}' for name, value in fields.items())}}}"


def _lines(fields: dict[str, str]) -> str:
    inside = ",\n".join(f"{quoted(name)}: {value}" for name, value in fields.items())
    return f"{{\n{inside}\n}}"


def _list(items: Iterable[str]) -> str:
    inside = ",\n".join(items)
    return f"[\n{inside}\n]" if inside else "[]"
