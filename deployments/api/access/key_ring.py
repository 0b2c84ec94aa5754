"""Knows every key and session by heart, so that a request costs no round trip; looks again often enough.

fresh (1 s) ─▶ ageing: looks again beside the request ─▶ old (3 s): looks first, unless the database is away
a secret that is not known ─▶ looks first, always: it may have been made a moment ago by another replica
"""

import asyncio
import logging
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.api_keys import digest, same
from domain.clock import Clock
from schemas.api_key import ApiKey, ApiSession
from storage.api_keys import ApiKeys
from storage.errors import NotFound, StoreError, StoreUnavailable

FRESH_SECONDS = 1.0
OLD_SECONDS = 3.0
LOOK_SECONDS = 1.0
"""A look takes no longer; the database is away then."""
PAUSE_SECONDS = 0.2
"""Between two looks, however many unknown secrets come."""
SESSION_LIFE = timedelta(days=30)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NewSession:
    session_id: str
    key_name: str
    expires_at: datetime


@dataclass(frozen=True)
class _Known:
    keys: Sequence[ApiKey] = ()
    sessions: dict[bytes, ApiSession] = field(default_factory=dict)


class KeyRing:
    def __init__(self, store: ApiKeys, clock: Clock, given: Sequence[ApiKey]) -> None:
        """`given` are the settings' keys: they open even while the database has never been reached."""
        self._store = store
        self._clock = clock
        self._given = tuple(given)
        self._known = _Known(self._given)
        self._looked_at = float("-inf")
        """When the look began that what is known comes from."""
        self._failed_at = float("-inf")
        self._look: asyncio.Task[None] | None = None

    def key_name(self, key: bytes) -> str | None:
        """Whose key this is, as far as is known."""
        key_sha256, name = digest(key), None
        for known in self._known.keys:  # all of them, whichever it is
            if same(known.key_sha256, key_sha256):
                name = known.name
        return name

    def session(self, session_id: bytes) -> ApiSession | None:
        """The session of this id, as far as is known."""
        id_sha256 = digest(session_id)
        found = self._known.sessions.get(id_sha256)
        if found is None or not same(found.id_sha256, id_sha256) or found.expires_at <= self._clock.now():
            return None
        return found

    async def keep_fresh(self) -> None:
        """Before what is known is asked. Waits only where that is old, and never for a database that is away."""
        now = self._clock.monotonic()
        age = now - self._looked_at
        if age < FRESH_SECONDS:
            return
        look = self._begin_look()
        if age >= OLD_SECONDS and now - self._failed_at >= OLD_SECONDS:
            await asyncio.wait([look])

    async def look_now(self) -> None:
        """Comes back with what a look has found that began after this call, or raises StoreUnavailable."""
        asked = self._clock.monotonic()
        while self._looked_at < asked:
            look = self._begin_look()
            await asyncio.wait([look])
            look.result()
            if self._failed_at >= asked:
                raise StoreUnavailable("keys cannot be looked up")

    async def sign_in(self, key: str) -> NewSession | None:
        """A session for whoever shows a key; None for a wrong one. Raises StoreUnavailable."""
        if self.key_name(key.encode()) is None:
            await self.look_now()
        name = self.key_name(key.encode())
        if name is None:
            return None
        session_id, expires_at = secrets.token_urlsafe(32), self._clock.now() + SESSION_LIFE
        try:
            await self._store.open_session(digest(session_id.encode()), digest(key.encode()), expires_at)
        except NotFound:
            return None
        self._known.sessions[digest(session_id.encode())] = ApiSession(
            id_sha256=digest(session_id.encode()), key_name=name, expires_at=expires_at
        )
        return NewSession(session_id, name, expires_at)

    async def sign_out(self, session_id: str) -> None:
        """Other replicas let it in no longer than they let an old look count."""
        id_sha256 = digest(session_id.encode())
        await self._store.end_session(id_sha256)
        self._known.sessions.pop(id_sha256, None)
        with suppress(StoreUnavailable):
            await self.look_now()  # one that is under way may bring it back

    def close(self) -> None:
        if self._look is not None:
            self._look.cancel()

    def _begin_look(self) -> asyncio.Task[None]:
        """One at a time, for all who wait."""
        if self._look is None or self._look.done():
            self._look = asyncio.create_task(self._look_again(), name="keys-look")
        return self._look

    async def _look_again(self) -> None:
        pause = max(self._looked_at, self._failed_at) + PAUSE_SECONDS - self._clock.monotonic()
        if pause > 0:
            await asyncio.sleep(pause)
        began = self._clock.monotonic()
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                known = await self._store.known()
        except (StoreError, TimeoutError) as error:
            if self._failed_at < self._looked_at or self._looked_at == float("-inf"):
                _log.warning("keys cannot be looked up, those that are known still open: %s", error or "too slow")
            self._failed_at = self._clock.monotonic()
            return
        keys = {key.key_sha256: key for key in (*self._given, *known.keys)}
        self._known = _Known(tuple(keys.values()), {session.id_sha256: session for session in known.sessions})
        self._looked_at = began
