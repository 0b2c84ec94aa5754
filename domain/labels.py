"""Object classes: how their names are compared, and the groups that stand for several of them."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache

# The COCO supercategories, since that is what public detectors are trained on, and what others call the same things.
GROUPS: Mapping[str, frozenset[str]] = {
    "vehicle": frozenset(
        ("car", "truck", "bus", "motorcycle", "motorbike", "bicycle", "van", "train", "boat", "airplane")
    ),
    "animal": frozenset(
        ("dog", "cat", "bird", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "deer", "fox", "rabbit")
    ),
}

_BETWEEN_WORDS = re.compile(r"[\s_-]+")


@lru_cache(maxsize=4096)
def normalised(object_type: str) -> str:
    """One spelling for `Traffic Light`, `traffic_light` and `traffic-light`: `traffic_light`."""
    return _BETWEEN_WORDS.sub("_", unicodedata.normalize("NFKC", object_type).casefold()).strip("_")


def expand(object_types: Iterable[str]) -> frozenset[str]:
    """The normalised classes that these names stand for.

    A group stands for its members and for itself, since a detector may use the group's name as a class. A name
    without a letter or digit stands for nothing.
    """
    names = {normalised(name) for name in object_types} - {""}
    return frozenset(names.union(*(GROUPS.get(name, frozenset()) for name in names)))
