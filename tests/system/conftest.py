"""One real system a session: Ray, Serve, own PostgreSQL and Redis, e-mail and webhook sinks on loopback."""

from collections.abc import Iterator

import pytest

from tests.stores import data_folder
from tests.system.guarded import GUARDED
from tests.system.house import House, Sinks, running_house


@pytest.fixture(scope="session")
def sinks() -> Iterator[Sinks]:
    with Sinks() as sinks:
        yield sinks


@pytest.fixture(scope="session")
def house(sinks: Sinks) -> Iterator[House]:
    with data_folder() as data_dir:
        times = {
            "BATCH_WINDOW_SECONDS": "20",
            "BATCH_IDLE_TIMEOUT_SECONDS": "3",
            "DETECTION_CONFIDENCE_THRESHOLD": "0.25",
        }
        with running_house(data_dir, **times, **sinks.environment) as house:
            # Scores depend on the time of day at which the tests run: hear of every level.
            house.query("UPDATE notification_preferences SET risk_filters = '{critical,high,medium,low}' RETURNING id")
            yield house
        assert house.process.returncode == 0, house.output.read_text()[-3000:]


@pytest.fixture(scope="session")
def guarded_house(sinks: Sinks) -> Iterator[House]:
    """A second system, which asks for keys and has a secret in every setting that may hold one."""
    with data_folder() as data_dir:
        with running_house(data_dir, **(sinks.environment | GUARDED.environment(sinks))) as house:
            yield house
        assert house.process.returncode == 0, house.output.read_text()[-3000:]
