"""API keys and sessions by their hashes: few rows, which every API replica knows by heart."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.api_key import ApiKey, ApiSession, KeySource
from storage.errors import NotFound
from storage.postgres import Pool, acquired, store_errors, transaction

MOST_SESSIONS_A_KEY = 200
"""Signing in again and again drops the oldest, so that the table stays small."""


@dataclass(frozen=True)
class KnownAccess:
    """Every key, and every session that has not ended."""

    keys: Sequence[ApiKey]
    sessions: Sequence[ApiSession]


class ApiKeys:
    """The tables `api_keys` and `api_sessions`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @store_errors()
    async def known(self) -> KnownAccess:
        async with acquired(self._pool) as connection:
            keys = await connection.fetch("SELECT name, key_sha256 FROM api_keys ORDER BY name")
            sessions = await connection.fetch(
                """
                SELECT s.id_sha256, k.name AS key_name, s.expires_at
                FROM api_sessions s JOIN api_keys k USING (key_sha256) WHERE s.expires_at > now()
                """
            )
        return KnownAccess([ApiKey(**row) for row in keys], [ApiSession(**row) for row in sessions])

    @store_errors()
    async def adopt(self, keys: Sequence[ApiKey]) -> None:
        """Makes these the settings' keys. Where there are any they are the only ones: all others end."""
        names, hashes = [key.name for key in keys], [key.key_sha256 for key in keys]
        async with transaction(self._pool) as connection:
            await connection.execute("LOCK TABLE api_keys IN SHARE ROW EXCLUSIVE MODE")
            await connection.execute(
                """
                DELETE FROM api_keys WHERE (source = 'settings' OR cardinality($1::text[]) > 0)
                AND (name, key_sha256) NOT IN (SELECT * FROM unnest($1::text[], $2::bytea[]))
                """,
                names,
                hashes,
            )
            await connection.execute(
                """
                INSERT INTO api_keys (name, key_sha256, source)
                SELECT name, hash, 'settings' FROM unnest($1::text[], $2::bytea[]) AS given(name, hash)
                ON CONFLICT (name) DO UPDATE SET source = 'settings'
                """,
                names,
                hashes,
            )

    @store_errors()
    async def create_first(self, key: ApiKey) -> bool:
        """Keeps a key that was made, unless there is any key already; whether it was kept."""
        async with transaction(self._pool) as connection:
            await connection.execute("LOCK TABLE api_keys IN SHARE ROW EXCLUSIVE MODE")
            name = await connection.fetchval(
                """
                INSERT INTO api_keys (name, key_sha256, source) SELECT $1, $2, $3
                WHERE NOT EXISTS (SELECT FROM api_keys) RETURNING name
                """,
                key.name,
                key.key_sha256,
                KeySource.MADE.value,
            )
        return name is not None

    @store_errors()
    async def replace(self, key: ApiKey) -> None:
        """Keeps a key that was made; one of the same name ends with its sessions."""
        async with transaction(self._pool) as connection:
            await connection.execute("DELETE FROM api_keys WHERE name = $1", key.name)
            await connection.execute(
                "INSERT INTO api_keys (name, key_sha256, source) VALUES ($1, $2, $3)",
                key.name,
                key.key_sha256,
                KeySource.MADE.value,
            )

    @store_errors()
    async def delete(self, name: str) -> bool:
        """Whether there was one; what was signed in by it ends with it."""
        return await self._pool.fetchval("DELETE FROM api_keys WHERE name = $1 RETURNING true", name) is not None

    @store_errors()
    async def open_session(self, id_sha256: bytes, key_sha256: bytes, expires_at: datetime) -> None:
        """Raises NotFound when the key has ended meanwhile. Clears away what has expired."""
        async with transaction(self._pool) as connection:
            held = await connection.fetchval(
                "SELECT true FROM api_keys WHERE key_sha256 = $1 FOR UPDATE",  # its sign-ins take turns
                key_sha256,
            )
            if held is None:
                raise NotFound("there is no such key")
            await connection.execute(
                """
                DELETE FROM api_sessions WHERE expires_at <= now() OR id_sha256 IN (
                    SELECT id_sha256 FROM api_sessions WHERE key_sha256 = $1 ORDER BY created_at DESC OFFSET $2)
                """,
                key_sha256,
                MOST_SESSIONS_A_KEY - 1,
            )
            await connection.execute(
                "INSERT INTO api_sessions (id_sha256, key_sha256, expires_at) VALUES ($1, $2, $3)",
                id_sha256,
                key_sha256,
                expires_at,
            )

    @store_errors()
    async def end_session(self, id_sha256: bytes) -> None:
        await self._pool.execute("DELETE FROM api_sessions WHERE id_sha256 = $1", id_sha256)
