"""Deduplication: the key under which alerts count as the same, and how long one of them silences the next.

Key and cooldown are decided under a lock on the key (`storage`), so that of two events at once one makes the alert.
"""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.alert_rules import EventFacts
from domain.labels import normalised
from schemas.alert_rule import AlertRule
from schemas.delivery import DeliveryStatus
from schemas.severity import Severity

# At four bytes a character still below the 2,704 bytes that a PostgreSQL index entry may have.
MAX_KEY_CHARS = 400
_DIGEST_CHARS = 32
_NO_OBJECT = "-"

_PLACEHOLDER = re.compile(r"\{(camera_id|rule_id|object_type|severity)\}")


def dedup_key(rule: AlertRule, facts: EventFacts, object_type: str | None) -> str:
    """The rule's template filled in; `object_type` is the match's, `{severity}` the rule's, which is the alert's.

    A value cannot end its place in the template: `:`, `.`, braces and all but letters, digits, `_` and `-` are
    percent-encoded. An event without objects has `-`, which no class is. A key that would be too long keeps its
    beginning and ends in `#` and a digest of the whole.
    """
    values = {
        "camera_id": facts.camera_id,
        "rule_id": str(rule.id),
        "object_type": normalised(object_type or "") or _NO_OBJECT,
        "severity": rule.severity.value,
    }
    key = _PLACEHOLDER.sub(lambda place: _encoded(values[place[1]]), rule.dedup_key_template)
    if len(key) <= MAX_KEY_CHARS:
        return key
    digest = hashlib.sha256(key.encode()).hexdigest()[:_DIGEST_CHARS]
    return f"{key[: MAX_KEY_CHARS - _DIGEST_CHARS - 1]}#{digest}"


def _encoded(value: str) -> str:
    return "".join(char if _is_of_a_name(char) else f"%{ord(char):X};" for char in value)


def _is_of_a_name(char: str) -> bool:
    """Camera ids, classes and UUIDs consist of these; anything else could be taken for a part of the template."""
    return char.isalnum() or char in "_-" or unicodedata.category(char) in ("Mn", "Mc")


@dataclass(frozen=True, slots=True)
class PastAlert:
    """An earlier alert with the same key."""

    created_at: datetime
    severity: Severity
    deliveries: tuple[DeliveryStatus, ...]
    """Of all its deliveries; empty for one that is shown and sent nowhere."""


_NEVER_SENT = (DeliveryStatus.SUPPRESSED, DeliveryStatus.DEAD)


def silences(past: PastAlert, severity: Severity, would_be_sent: bool = True) -> bool:
    """Whether an earlier alert's cooldown counts for a new alert of this severity.

    It must be as severe, so that a low alert never silences a critical one. And it must not swallow a message: one
    that would be sent is only silenced by an alert of which somebody was told or is about to be, not by one whose
    deliveries were all suppressed or died. One that nobody would be told of either (no recipient, or quiet hours)
    is silenced by any, so that such times do not fill the list with an alert an event.
    """
    if past.severity.rank < severity.rank:
        return False
    never_sent = bool(past.deliveries) and all(status in _NEVER_SENT for status in past.deliveries)
    return not (would_be_sent and never_sent)


def last_relevant(past: Sequence[PastAlert], severity: Severity, would_be_sent: bool = True) -> datetime | None:
    """When the newest alert that silences such a new one was made."""
    return max((alert.created_at for alert in past if silences(alert, severity, would_be_sent)), default=None)


def in_cooldown(last_created_at: datetime | None, cooldown_seconds: int, now: datetime) -> bool:
    """Whether the last relevant alert is less than the cooldown away; a cooldown of 0 is none.

    Away in either direction: of two transactions at once the later may have read the earlier clock, and a clock that
    was set back must not silence a rule until it has caught up.
    """
    if last_created_at is None:
        return False
    return abs(now - last_created_at) < timedelta(seconds=cooldown_seconds)
