"""Brings a database to this program's schema: the SQL files of storage/migrations, in order, each once."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from storage.errors import MigrationRefused, StoreError
from storage.postgres import START_CONNECT_SECONDS, Connection, connect_once, store_errors, translate

_LOCK = 0x6873695F6D696772  # "hsi_migr": two migrators at once take turns
_WAIT_SECONDS = 600.0  # a large table may take its time, and the second migrator waits for the first
_FILE_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_TABLE = """
    CREATE TABLE IF NOT EXISTS schema_migrations (
        version    integer PRIMARY KEY,
        name       text NOT NULL,
        sha256     text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
    )"""


@dataclass(frozen=True)
class Migration:
    version: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def shipped_migrations(folder: Traversable | None = None) -> tuple[Migration, ...]:
    """The files that came with this program, by version."""
    where = files("storage").joinpath("migrations") if folder is None else folder
    found: dict[int, Migration] = {}
    for entry in sorted(where.iterdir(), key=lambda entry: entry.name):
        if not entry.name.endswith(".sql"):
            continue
        match = _FILE_NAME.fullmatch(entry.name)
        if match is None:
            raise MigrationRefused(f"{entry.name} is not named NNNN_what_it_does.sql")
        version = int(match[1])
        if version in found:
            raise MigrationRefused(f"{found[version].name} and {entry.name} have the same number")
        # Line ends are made equal, so that a checkout elsewhere is the same migration.
        found[version] = Migration(version, entry.name, entry.read_text(encoding="utf-8").replace("\r\n", "\n"))
    if not found:
        raise MigrationRefused("this installation has no migrations: install the package again")
    return tuple(found[version] for version in sorted(found))


async def migrate(dsn: str, migrations: Sequence[Migration] | None = None) -> tuple[str, ...]:
    """Apply what is missing, each file in its own transaction, and name what was applied.

    Safe to run from several processes at once. `MigrationRefused` when the database was made by a newer program,
    or by one whose files differ from ours; then nothing has been changed.
    """
    shipped = shipped_migrations() if migrations is None else tuple(migrations)
    connection = await connect_once(dsn, "migrate", _WAIT_SECONDS, START_CONNECT_SECONDS)
    try:
        with store_errors():
            await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
            await connection.execute(_TABLE)
            missing = await _missing(connection, shipped)
            for migration in missing:
                await _apply(connection, migration)
            return tuple(migration.name for migration in missing)
    finally:
        await connection.close(timeout=5)  # gives the lock back


async def _missing(connection: Connection, shipped: Sequence[Migration]) -> tuple[Migration, ...]:
    rows = await connection.fetch("SELECT version, name, sha256 FROM schema_migrations ORDER BY version")
    known = {migration.version: migration for migration in shipped}
    for row in rows:
        migration = known.get(row["version"])
        if migration is None:
            raise MigrationRefused(
                f"the database holds migration {row['name']}, which this program does not know: it was last used by "
                "a newer version; update this program, or restore a backup from before"
            )
        if migration.sha256 != row["sha256"]:
            raise MigrationRefused(
                f"migration {migration.name} differs from the one this database was made with: an applied migration "
                "is never edited; restore the file and put the change into a new one"
            )
    applied = {row["version"] for row in rows}
    missing = tuple(migration for migration in shipped if migration.version not in applied)
    if applied and missing and missing[0].version < max(applied):
        raise MigrationRefused(
            f"migration {missing[0].name} is older than what this database already has: give it the next number"
        )
    return missing


async def _apply(connection: Connection, migration: Migration) -> None:
    try:
        async with connection.transaction():
            await connection.execute(migration.sql)
            await connection.execute(
                "INSERT INTO schema_migrations (version, name, sha256) VALUES ($1, $2, $3)",
                migration.version,
                migration.name,
                migration.sha256,
            )
    except Exception as error:
        reason = translate(error)
        if type(reason) is StoreError:
            raise MigrationRefused(f"migration {migration.name} failed and was undone: {error}") from error
        raise
