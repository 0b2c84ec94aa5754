"""Counts each client's requests against its tier: in Redis, which all replicas share, and by itself without Redis.

A replica takes a small share of a client's tokens at a time, so that most requests cost no round trip; a limit of up
to 600 a minute is counted one by one.
"""

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass

from deployments.api.access.table import Access
from domain.clock import Clock
from domain.rate_limit import Grant, Limit, TokenBucket, Verdict, allowed, refused
from settings import Settings
from storage.errors import StoreError
from storage.rate_limits import RateLimits

REDIS_SECONDS = 0.25
"""Longer than this no request waits for Redis."""
ALONE_SECONDS = 2.0
"""For so long a replica counts by itself after Redis failed."""
SHARE_SECONDS = 1.0
"""A share that is not used up by then is lost; its client has gained more meanwhile."""
MOST_CLIENTS = 10_000
STRANGERS = "strangers"
STRANGERS_A_MINUTE = 600
"""Wrong keys and sessions from one address."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Share:
    tokens: int
    left: float
    """In the bucket, beside the share."""
    until: float
    bucket: TokenBucket | None = None


class RateLimiter:
    def __init__(self, limits: RateLimits, settings: Settings, clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._enabled = settings.rate_limit_enabled
        self._tiers: dict[str, Limit] = {
            Access.READ: Limit(settings.rate_limit_read_per_minute),
            Access.CHANGE: Limit(settings.rate_limit_change_per_minute),
            Access.LOGS: Limit(settings.rate_limit_logs_per_minute),
            Access.SIGN_IN: Limit(settings.rate_limit_sign_in_per_minute),
            STRANGERS: Limit(STRANGERS_A_MINUTE),
        }
        self._shares: OrderedDict[tuple[str, str], _Share] = OrderedDict()
        self._alone_until = float("-inf")

    async def take(self, tier: str, client: str) -> Verdict | None:
        """One request of this client. None where nothing is counted."""
        if not self._enabled:
            return None
        limit, now = self._tiers[tier], self._clock.monotonic()
        share = self._shares.get((tier, client))
        if share is None or now >= share.until or (share.tokens < 1 and share.left >= 1):
            share = await self._fill(tier, client, limit)
        if share.tokens < 1:
            return refused(limit, share.left)
        share.tokens -= 1
        return allowed(limit, share.left + share.tokens)

    async def _fill(self, tier: str, client: str, limit: Limit) -> _Share:
        grant = await self._from_redis(tier, client, limit)
        now, key = self._clock.monotonic(), (tier, client)
        share = self._shares.get(key)
        if share is None:
            share = self._shares[key] = _Share(0, 0.0, now)
            if len(self._shares) > MOST_CLIENTS:
                self._shares.popitem(last=False)
        self._shares.move_to_end(key)
        if grant is None:
            share.bucket = share.bucket or TokenBucket(limit, now)
            grant = share.bucket.take(limit.share, now)
        kept = share.tokens if now < share.until else 0  # of another request that filled it meanwhile
        share.tokens, share.left = kept + grant.tokens, grant.left
        # A refused client is told so from here until a token has come; asking Redis again would change nothing.
        share.until = now + (SHARE_SECONDS if share.tokens else max(0.0, 1 - grant.left) / limit.per_second)
        return share

    async def _from_redis(self, tier: str, client: str, limit: Limit) -> Grant | None:
        if self._clock.monotonic() < self._alone_until:
            return None
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                return await self._limits.take(tier, client, limit, limit.share)
        except (StoreError, TimeoutError) as error:
            self._alone_until = self._clock.monotonic() + ALONE_SECONDS
            _log.warning("requests are counted by this replica alone: %s", error or "Redis is slow")
            return None
