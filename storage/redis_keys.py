"""Every key and channel name in Redis, in one place.

| name                     | kind    | holds                                                              |
|--------------------------|---------|--------------------------------------------------------------------|
| hsi:doorbell:<name>      | pub/sub | "look": something waits in that queue                              |
| hsi:live:<channel>       | stream  | the last 1,000 live frames; an entry's id is its sequence number   |
| hsi:limit:<tier>:<who>   | hash    | a client's tokens in a tier, and when they were counted            |
"""

from schemas.frame import LiveChannel

PREFIX = "hsi:"
DOORBELLS = f"{PREFIX}doorbell:"


def doorbell(name: str) -> str:
    return f"{DOORBELLS}{name}"


def live_stream(channel: LiveChannel) -> str:
    return f"{PREFIX}live:{channel.value}"


def rate_limit(tier: str, client: str) -> str:
    return f"{PREFIX}limit:{tier}:{client}"
