"""From a record to a row: what was said about what, kept in bounded memory, without secrets."""

import logging
import threading
from collections.abc import Callable, Iterator

import pytest

from actors.log_handler import RowHandler, line_of
from domain.log_text import MESSAGE_CHARS
from domain.redaction import Redactor
from schemas.log import LogLevel, LogSource, NewLog
from storage.log_context import about_camera, request_id


@pytest.fixture
def handler() -> RowHandler:
    return RowHandler(most_lines=5, most_chars=100_000)


@pytest.fixture
def logger(handler: RowHandler) -> Iterator[logging.Logger]:
    one = logging.getLogger("actors.of_the_test")
    one.setLevel(logging.DEBUG)
    one.addHandler(handler)
    yield one
    one.removeHandler(handler)


@pytest.fixture
def stored(handler: RowHandler) -> Callable[[], NewLog]:
    def only() -> NewLog:
        [taken] = handler.take(10)
        return line_of(taken, "detection_worker", Redactor(["tops3cret"]))

    return only


def test_a_line_names_component_level_logger_request_and_camera(
    logger: logging.Logger, stored: Callable[[], NewLog]
) -> None:
    token = request_id.set("abc123")
    with about_camera("front_door"):
        logger.warning("%d files %s", 3, "left")
    request_id.reset(token)
    line = stored()
    assert (line.level, line.component, line.message) == (LogLevel.WARNING, "detection_worker", "3 files left")
    assert (line.camera_id, line.request_id, line.source) == ("front_door", "abc123", LogSource.BACKEND)
    assert line.extra == {"logger": "actors.of_the_test"}


def test_outside_of_a_request_and_a_camera_both_are_null(logger: logging.Logger, stored: Callable[[], NewLog]) -> None:
    logger.info("said")
    line = stored()
    assert (line.camera_id, line.request_id, line.duration_ms) == (None, None, None)


def test_duration_and_other_extras_are_kept(logger: logging.Logger, stored: Callable[[], NewLog]) -> None:
    logger.info("said", extra={"duration_ms": 12, "host": "ai:8001", "odd": object, "camera_id": "garden", "_rays": 1})
    line = stored()
    assert (line.duration_ms, line.camera_id, line.extra["host"]) == (12.0, "garden", "ai:8001")
    assert line.extra["odd"] == "<class 'object'>"
    assert "_rays" not in line.extra


def test_an_exceptions_trace_is_kept_without_secrets(logger: logging.Logger, stored: Callable[[], NewLog]) -> None:
    try:
        raise ValueError("no tops3cret here")
    except ValueError:
        logger.exception("it failed with tops3cret", extra={"why": ["tops3cret"]})
    line = stored()
    assert "tops3cret" not in line.model_dump_json()
    assert line.extra["exception"].endswith("ValueError: no *** here")
    assert line.message == "it failed with ***"


def test_a_long_message_is_cut_and_controls_are_written_out(
    logger: logging.Logger, stored: Callable[[], NewLog]
) -> None:
    logger.info("\x1b[2J\x00\n" + "x" * 1_000_000)
    line = stored()
    assert line.message.startswith("\\x1b[2J\\nxxx")
    assert len(line.message) == MESSAGE_CHARS


def test_a_secret_across_the_end_of_a_cut_message_leaves_nothing_of_itself(
    logger: logging.Logger, stored: Callable[[], NewLog]
) -> None:
    logger.info("%s tops3cret", "x" * (MESSAGE_CHARS - 5))
    assert "tops" not in stored().message


def test_arguments_that_do_not_fit_lose_no_line(handler: RowHandler, stored: Callable[[], NewLog]) -> None:
    handler.handle(logging.LogRecord("actors.x", logging.INFO, "", 0, "%d files", ("many",), None))
    assert stored().message == "%d files [arguments cannot be formatted: TypeError]"


def test_a_record_that_cannot_be_kept_harms_nobody_and_is_counted(handler: RowHandler) -> None:
    class Hostile:
        def __str__(self) -> str:
            raise RuntimeError("no")

    handler.handle(logging.LogRecord("actors.x", logging.INFO, "", 0, Hostile(), (), None))
    assert (len(handler), handler.dropped) == (0, 1)


def test_the_oldest_lines_go_when_there_are_too_many(logger: logging.Logger, handler: RowHandler) -> None:
    for number in range(8):
        logger.info("%d", number)
    assert [line.message for line in handler.take(10)] == ["3", "4", "5", "6", "7"]
    assert handler.dropped == 3


def test_the_oldest_lines_go_when_they_are_too_long(logger: logging.Logger, handler: RowHandler) -> None:
    for number in range(5):
        logger.info("%d%s", number, "x" * 40_000)
    assert [line.message[0] for line in handler.take(10)] == ["2", "3", "4"]


def test_what_is_put_back_comes_first_and_room_goes_to_the_newest(logger: logging.Logger, handler: RowHandler) -> None:
    for number in range(4):
        logger.info("%d", number)
    taken = handler.take(4)
    for number in range(4, 7):
        logger.info("%d", number)
    handler.put_back(taken)
    assert [line.message for line in handler.take(10)] == ["2", "3", "4", "5", "6"]
    assert handler.dropped == 2


def test_of_other_packages_only_warnings_are_kept(handler: RowHandler) -> None:
    other = logging.getLogger("somebody.else")
    other.setLevel(logging.DEBUG)
    other.addHandler(handler)
    other.info("chatter")
    other.warning("trouble")
    other.removeHandler(handler)
    assert [line.message for line in handler.take(10)] == ["trouble"]


def test_the_writing_thread_is_not_heard(logger: logging.Logger, handler: RowHandler) -> None:
    handler.deaf_to = threading.get_ident()
    logger.error("round and round")
    assert len(handler) == 0


def test_many_threads_lose_nothing(logger: logging.Logger) -> None:
    handler = RowHandler()
    logger.addHandler(handler)
    threads = [threading.Thread(target=lambda: [logger.info("x") for _ in range(500)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    logger.removeHandler(handler)
    assert len(handler.take(10_000)) == 4000


@pytest.mark.parametrize(("number", "level"), [(5, "DEBUG"), (25, "INFO"), (30, "WARNING"), (60, "CRITICAL")])
def test_levels_between_the_named_ones_fall_to_the_one_below(
    logger: logging.Logger, stored: Callable[[], NewLog], number: int, level: str
) -> None:
    logger.setLevel(1)
    logger.log(number, "said")
    assert stored().level.value == level
