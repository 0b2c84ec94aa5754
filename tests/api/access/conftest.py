"""An API that asks for keys, over real stores."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from deployments.api.app import create_app
from deployments.api.deps import Services
from settings import Settings, load_settings
from storage.api_keys import ApiKeys
from storage.postgres import Pool

ALICE = "alices-key-0123456789abcdef"
BOB = "bobs-key-fedcba9876543210"
KEYS = {"API_KEYS": f"alice:{ALICE},bob:{BOB}"}
HOST = "http://127.0.0.1:8000"
Make = Callable[..., Settings]


@pytest.fixture
def make_settings(tmp_path: Path, database_url: str, redis_url: str) -> Make:
    def make(**environment: str) -> Settings:
        stores = {"DATA_DIR": str(tmp_path / "data"), "DATABASE_URL": database_url, "REDIS_URL": redis_url}
        return load_settings(stores | environment)

    return make


@pytest.fixture
def environment() -> dict[str, str]:
    """What a test's module sets beside the stores."""
    return KEYS


@pytest.fixture
async def settings(make_settings: Make, environment: dict[str, str], database: Pool) -> Settings:
    settings = make_settings(**environment)
    await ApiKeys(database).adopt(settings.given_keys())
    return settings


@pytest.fixture
async def api(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(services), client=("127.0.0.1", 4711))
    async with httpx.AsyncClient(transport=transport, base_url=HOST) as client:
        yield client
