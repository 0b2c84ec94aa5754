"""Subscriptions of a live connection: which types of frame it wants, as glob patterns such as `detection.*`.

`*` stands for any characters (dots included), `?` for one; everything else stands for itself, and case counts.
Who has nothing subscribed gets everything, also after the last pattern was unsubscribed.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

MAX_PATTERNS = 50
MAX_PATTERN_CHARS = 64

_PATTERN = re.compile(r"[A-Za-z0-9_.:*?-]+")


@dataclass(frozen=True, slots=True)
class RefusedPatterns:
    """Patterns that cannot be taken; none of their request was."""

    message: str


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """What one connection has subscribed to; changing it makes a new one."""

    patterns: frozenset[str] = frozenset()

    def subscribe(self, patterns: object) -> "Subscriptions | RefusedPatterns":
        """With these as well; takes what a client sent, whatever it is."""
        read = _read(patterns)
        if isinstance(read, RefusedPatterns):
            return read
        together = self.patterns | read
        if len(together) > MAX_PATTERNS:
            return RefusedPatterns(f"at most {MAX_PATTERNS} patterns can be subscribed to at a time")
        return Subscriptions(together)

    def unsubscribe(self, patterns: object) -> "Subscriptions | RefusedPatterns":
        """Without these and without the narrower ones they include: `*` ends every subscription.

        A broader one stays: `*` without `alert.*` is still `*`.
        """
        read = _read(patterns)
        if isinstance(read, RefusedPatterns):
            return read
        return Subscriptions(frozenset(kept for kept in self.patterns if not any(matches(p, kept) for p in read)))

    def wants(self, frame_type: str) -> bool:
        return not self.patterns or any(matches(pattern, frame_type) for pattern in self.patterns)


def _read(patterns: object) -> frozenset[str] | RefusedPatterns:
    if not isinstance(patterns, list | tuple):
        return RefusedPatterns('patterns must be a list of strings such as ["detection.*"]')
    if len(patterns) > MAX_PATTERNS:
        return RefusedPatterns(f"at most {MAX_PATTERNS} patterns can be given at a time")
    for pattern in patterns:
        if not isinstance(pattern, str) or not pattern:
            return RefusedPatterns('patterns must be a list of strings such as ["detection.*"]')
        if len(pattern) > MAX_PATTERN_CHARS:
            return RefusedPatterns(f"a pattern has at most {MAX_PATTERN_CHARS} characters")
        if not _PATTERN.fullmatch(pattern):
            return RefusedPatterns("a pattern has only letters, digits, '_', '.', ':', '-' and the signs '*' and '?'")
    return frozenset(patterns)


@lru_cache(maxsize=4096)
def matches(pattern: str, text: str) -> bool:
    """Whether the glob covers the text, or another glob: a `*` in the text is only covered by a `*`.

    Takes at most len(pattern) * len(text) steps, since only the last `*` is ever widened.
    """
    at_pattern = at_text = 0
    last_star, star_text = -1, 0
    while at_text < len(text):
        sign = pattern[at_pattern] if at_pattern < len(pattern) else None
        if sign == "*":
            last_star, star_text = at_pattern, at_text
            at_pattern += 1
        elif sign == text[at_text] or (sign == "?" and text[at_text] != "*"):
            at_pattern += 1
            at_text += 1
        elif last_star >= 0:
            star_text += 1
            at_pattern, at_text = last_star + 1, star_text
        else:
            return False
    return set(pattern[at_pattern:]) <= {"*"}
