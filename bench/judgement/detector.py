"""A detector as it is: what it overlooks, mistakes for something else, sees twice or sees where nothing is."""

import random
from dataclasses import dataclass

THRESHOLD = 0.5
"""Of the default configuration: what is less sure is no detection."""

_TRUE_CLASS = {"adult": "person", "child": "person"}
_TAKEN_FOR: dict[str, tuple[tuple[str, float], ...]] = {
    "van": (("truck", 0.5), ("car", 0.4), ("bus", 0.1)),
    "truck": (("truck", 0.85), ("bus", 0.1), ("car", 0.05)),
    "car": (("car", 0.95), ("truck", 0.05)),
    "fox": (("dog", 0.55), ("cat", 0.45)),
    "cat": (("cat", 0.85), ("dog", 0.15)),
    "dog": (("dog", 0.92), ("cat", 0.06), ("bear", 0.02)),
    "bear": (("bear", 0.8), ("dog", 0.2)),
    "bicycle": (("bicycle", 0.93), ("motorcycle", 0.07)),
    "package": (("package", 0.75), ("suitcase", 0.25)),
    "weapon": (("knife", 0.5), ("gun", 0.35), ("umbrella", 0.15)),
    "coat": (("person", 1.0),),
    "tool": (("knife", 0.4), ("baseball bat", 0.6)),
    "glow": (("fire", 0.5), ("smoke", 0.5)),
}
_HARD = {"weapon": 0.5, "coat": 0.45, "tool": 0.5, "glow": 0.5, "package": 0.85, "smoke": 0.7, "bird": 0.75}
"""Of the chance to be found that something as large would have."""
_UNSURE = {
    "weapon": 0.12,
    "coat": 0.25,
    "tool": 0.18,
    "glow": 0.22,
    "smoke": 0.1,
    "package": 0.06,
    "bird": 0.08,
    "fox": 0.12,
}


@dataclass(frozen=True, slots=True)
class Seen:
    """One box, in shares of the picture's width and height."""

    object_type: str
    confidence: float
    x: float
    y: float
    width: float
    height: float


def name_for(thing: str, rng: random.Random) -> str:
    """What the detector takes it for, mostly, in this scene."""
    words = _TAKEN_FOR.get(thing)
    if words is None:
        return _TRUE_CLASS.get(thing, thing)
    return rng.choices([word for word, _ in words], [share for _, share in words])[0]


def detected(
    thing: str, name: str, box: tuple[float, float, float, float], dark: bool, rng: random.Random
) -> list[Seen]:
    """What comes of one thing in one picture: nothing, a box, or two."""
    x, y, width, height = box
    found = min(0.97, 0.3 + 2.6 * height) * (0.9 if dark else 1.0) * _HARD.get(thing, 1.0)
    if rng.random() > found:
        return []
    mean = 0.62 + 0.28 * min(1.0, height / 0.3) - (0.06 if dark else 0.0) - _UNSURE.get(thing, 0.0)
    seen_as = name_for(thing, rng) if rng.random() < 0.08 else name
    boxes = [_box(seen_as, rng.gauss(mean, 0.08), x, y, width, height, rng)]
    if rng.random() < 0.015:
        boxes.append(_box(seen_as, rng.gauss(0.56, 0.05), x + 0.2 * width, y, width * 0.7, height * 0.9, rng))
    return [one for one in boxes if one.confidence >= THRESHOLD]


def ghost(dark: bool, rng: random.Random) -> tuple[str, tuple[float, float, float, float]] | None:
    """Where the detector sees something that is not there, in this scene; mostly nowhere."""
    if rng.random() > (0.07 if dark else 0.04):
        return None
    name = rng.choices(("person", "dog", "cat", "bird", "car"), (5, 2, 2, 1, 1))[0]
    height = rng.uniform(0.06, 0.3)
    return name, (rng.random() * 0.8, rng.uniform(0.2, 0.6), height * 0.5, height)


def ghost_seen(name: str, box: tuple[float, float, float, float], rng: random.Random) -> list[Seen]:
    x, y, width, height = box
    one = _box(name, rng.gauss(0.5, 0.06), x, y, width, height, rng)
    return [one] if one.confidence >= THRESHOLD else []


def _box(name: str, confidence: float, x: float, y: float, width: float, height: float, rng: random.Random) -> Seen:
    wide, high = width * rng.uniform(0.93, 1.07), height * rng.uniform(0.95, 1.05)
    left = min(max(0.0, x + rng.gauss(0, 0.004)), 0.99)
    top = min(max(0.0, y + rng.gauss(0, 0.004)), 0.99)
    return Seen(
        name,
        round(min(0.98, max(0.0, confidence)), 3),
        left,
        top,
        max(0.002, min(wide, 1 - left)),
        max(0.002, min(high, 1 - top)),
    )
