"""The stores that the program runs itself under DATA_DIR when DATABASE_URL or REDIS_URL are not set."""

from storage.embedded_postgres import EmbeddedPostgres
from storage.embedded_redis import EmbeddedRedis
from storage.embedded_store import EmbeddedStore

__all__ = ["EmbeddedPostgres", "EmbeddedRedis", "EmbeddedStore"]
