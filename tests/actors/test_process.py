"""Several real processes write their log and their figures to one real database."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from actors.log_handler import RowHandler
from actors.process import _reaches_root, one_line, redact_records, secrets_of
from domain.redaction import Redactor
from settings import Settings, load_settings
from storage.logs import LogFilter, Logs
from storage.metric_scrape import MetricScrapes
from storage.metric_snapshots import MetricSnapshots
from storage.postgres import Pool
from tests.actors.armed_child import ArmedChild, armed_child
from tests.eventually import eventually


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> dict[str, str]:
    return {"DATABASE_URL": database_url, "DATA_DIR": str(tmp_path), "SMTP_PASSWORD": "tops3cret"}


@pytest.fixture
def children(environment: dict[str, str]) -> Iterator[list[ArmedChild]]:
    with armed_child("first", environment) as first, armed_child("second", environment) as second:
        yield [first, second]


async def counted(database: Pool, name: str) -> float:
    scrape = await MetricScrapes(database).scrape(datetime.now(UTC), timedelta(hours=1))
    return sum(figures[0] for family in scrape.counted if family.name == name for _, figures in family.series)


async def test_lines_of_every_process_arrive_without_anybody_asking(database: Pool, children: list[ArmedChild]) -> None:
    for child in children:
        child.do("log.info('here I am')")
    logs = Logs(database)

    async def arrived() -> bool:
        return len(await logs.list(LogFilter(search="here I am"))) == 2

    await eventually(arrived)
    lines = await logs.list(LogFilter(search="here I am"))
    assert {line.component for line in lines} == {"first", "second"}


async def test_what_was_said_last_is_stored_when_a_process_ends(database: Pool, children: list[ArmedChild]) -> None:
    children[0].do("for n in range(700): log.info('line %d', n)")
    children[0].end()
    lines = await Logs(database).list(LogFilter(component="first", search="line "), limit=1000)
    assert [line.message for line in reversed(lines)] == [f"line {number}" for number in range(700)]


async def test_a_secret_is_neither_stored_nor_printed(database: Pool, children: list[ArmedChild]) -> None:
    children[0].do(
        "try: raise ValueError('tops3cret')\n"
        "except ValueError: log.exception('using %s', 'tops3cret', extra={'why': 'tops3cret', 'password': 'x'})\n"
        "logging.getLogger('somebody.else').warning('also tops3cret')"
    )
    printed = children[0].end()
    assert "using ***" in printed
    assert "also ***" in printed
    stored = str([line.model_dump() for line in await Logs(database).list()])
    assert "using ***" in stored
    assert "ValueError: ***" in stored
    assert "tops3cret" not in printed + stored


async def test_level_and_context_reach_the_rows(
    database: Pool, environment: dict[str, str], children: list[ArmedChild]
) -> None:
    with armed_child("quiet", environment | {"LOG_LEVEL": "warning"}) as quiet:
        quiet.do("log.info('chatter'); log.warning('trouble'); flush_process()")
    children[0].do("request_id.set('abc'); context = about_camera('garden'); context.__enter__()")
    children[0].do("log.info('said'); logging.getLogger('asyncpg').info('chatter'); flush_process()")
    lines = {line.message: line for line in await Logs(database).list()}
    assert {message for message in lines if "has started" not in message} == {"trouble", "said"}
    assert (lines["said"].request_id, lines["said"].camera_id) == ("abc", "garden")


async def test_figures_are_summed_over_processes_and_outlive_them(database: Pool, children: list[ArmedChild]) -> None:
    for child, number in zip(children, (3, 4), strict=True):
        child.do(f"metrics.MEDIA.labels('detected').inc({number}); flush_process()")
    assert await counted(database, "media_files_total") == 7
    children[0].kill()
    children[1].do("metrics.MEDIA.labels('detected').inc(10); flush_process()")
    assert await counted(database, "media_files_total") == 17
    await MetricSnapshots(database).retire(timedelta(0))
    assert await counted(database, "media_files_total") == 17
    children[1].do("metrics.MEDIA.labels('detected').inc(); flush_process()")
    assert await counted(database, "media_files_total") == 18


async def test_a_process_goes_on_while_postgresql_is_away(environment: dict[str, str]) -> None:
    away = environment | {"DATABASE_URL": "postgresql://nobody:tops3cret@127.0.0.1:1/none"}
    with armed_child("worker", away) as child:
        child.do("for n in range(20000): log.info('line %d', n)")
        assert "tops3cret" not in child.end()


async def test_each_process_holds_one_connection(database: Pool, children: list[ArmedChild]) -> None:
    for child in children:
        child.do("for n in range(3): log.info('line'); flush_process()")
    held = await database.fetch(
        "SELECT application_name, count(*) AS n FROM pg_stat_activity "
        "WHERE datname = current_database() AND application_name LIKE '% log' GROUP BY 1 ORDER BY 1"
    )
    assert [(row["application_name"], row["n"]) for row in held] == [("first log", 1), ("second log", 1)]


def test_every_secret_setting_is_known_in_all_its_spellings(tmp_path: Path) -> None:
    settings = load_settings(
        {
            "DATA_DIR": str(tmp_path),
            "DATABASE_URL": "postgresql://hsi:p%40ssw0rd1@db/home",
            "REDIS_URL": "redis://:r3dispass@redis:6379/0",
            "SMTP_PASSWORD": "mailpass",
            "DEFAULT_WEBHOOK_URL": "https://hooks.example.org/T0123456789/xyz",
            "WEBHOOK_SECRET": "hooksecret",
            "PUSH_URLS": "ntfys://user:pushpass@ntfy.sh/topic",
        }
    )
    clean = Redactor(secrets_of(settings))
    for secret in ("p@ssw0rd1", "p%40ssw0rd1", "r3dispass", "mailpass", "T0123456789", "hooksecret", "pushpass"):
        assert clean.text(f"with {secret}.") == "with ***."


def test_no_secret_setting_is_forgotten() -> None:
    """A field that may hold a SecretStr is found by its value, whatever its name."""
    secret = {
        name
        for name, field in Settings.model_fields.items()
        if "SecretStr" in str(field.annotation) + str(field.metadata)
    }
    for name in secret:
        plural = "tuple" in str(Settings.model_fields[name].annotation)
        planted = SecretStr("planted-0123456789")
        settings = Settings.model_construct(**{name: (planted,) if plural else planted})
        assert "planted-0123456789" in secrets_of(settings), name


@pytest.fixture
def record_factory() -> Iterator[None]:
    before = logging.getLogRecordFactory()
    yield
    logging.setLogRecordFactory(before)


@pytest.mark.usefixtures("record_factory")
def test_a_record_without_secrets_is_left_as_it_was_made() -> None:
    redact_records(Redactor(["tops3cret"]))
    record = logging.getLogger("x").makeRecord("x", logging.INFO, "f", 1, "%d of %s", (1, "two"), None)
    assert (record.msg, record.args) == ("%d of %s", (1, "two"))


@pytest.mark.usefixtures("record_factory")
def test_a_record_whose_arguments_do_not_fit_is_still_made() -> None:
    redact_records(Redactor(["tops3cret"]))
    assert logging.getLogger("x").makeRecord("x", logging.INFO, "f", 1, "%d", ("two",), None).msg == "%d"


def test_the_drivers_trace_becomes_one_line() -> None:
    try:
        raise ConnectionRefusedError("refused\nby the server")
    except ConnectionRefusedError as error:
        record = logging.LogRecord("asyncpg.pool", 30, "", 0, "no %s", ("connection",), (type(error), error, None))
    assert one_line(record)
    assert record.getMessage() == "no connection: refused by the server"
    assert record.exc_info is None


def test_a_logger_is_given_the_handler_only_where_its_records_would_not_come_anyway() -> None:
    outer, inner = logging.getLogger("of_the_test"), logging.getLogger("of_the_test.inner")
    assert _reaches_root(inner)
    outer.propagate = False
    assert not _reaches_root(inner)
    outer.addHandler(handler := RowHandler())
    assert _reaches_root(inner)
    outer.removeHandler(handler)
    outer.propagate = True
