"""What every process of the system arms first: its log and its figures go into rows, its secrets into nothing."""

import asyncio
import atexit
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from pydantic import SecretStr

from actors.log_handler import OUR_PACKAGES, RowHandler
from actors.metrics import snapshot
from actors.reporter import GATHER_SECONDS, LINES_A_WRITE, Reporter
from domain.clock import SystemClock
from domain.redaction import Redactor, spellings
from settings import Settings
from storage.log_writer import LogWriter

FLUSH_SECONDS = 3.0
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_HAVE_HANDLERS_OF_THEIR_OWN = ("ray", "ray.serve", "uvicorn", "uvicorn.error")

_log = logging.getLogger(__name__)
_arming = threading.Lock()
_armed: "ProcessReport | None" = None


class ProcessReport:
    """The writing thread, with its own event loop and one connection. Nothing here raises or waits for PostgreSQL."""

    def __init__(self, reporter: Reporter, handler: RowHandler) -> None:
        self._reporter = reporter
        self._handler = handler
        self._loop = asyncio.new_event_loop()
        self._woken = asyncio.Event()
        self._hurried = asyncio.Event()
        self._flushes: list[threading.Event] = []
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="log-and-figures", daemon=True)

    @property
    def process(self) -> str:
        """Under which name this process's figures stand."""
        return self._reporter.process

    def start(self) -> None:
        self._handler.on_line = self._heard
        self._thread.start()

    def flush(self, seconds: float = FLUSH_SECONDS) -> bool:
        """Waits until what was said so far is stored, or until that was tried; False when it took too long."""
        done = self._asked_to_flush()
        self._wake(self._hurry)
        return done.wait(seconds)

    def stop(self, seconds: float = FLUSH_SECONDS) -> None:
        """Stores what waits and ends the thread; what is said afterwards stays in memory."""
        done = self._asked_to_flush()
        self._stopping = True
        self._wake(self._hurry)
        done.wait(seconds)
        self._thread.join(seconds)

    def _asked_to_flush(self) -> threading.Event:
        done = threading.Event()
        self._flushes.append(done)
        return done

    def _heard(self, waiting: int) -> None:
        if waiting == 1:
            self._wake(self._woken.set)
        elif waiting == LINES_A_WRITE:
            self._wake(self._hurry)

    def _hurry(self) -> None:
        self._hurried.set()
        self._woken.set()

    def _wake(self, how: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(how)

    def _run(self) -> None:
        self._handler.deaf_to = threading.get_ident()
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._turns())
        finally:
            self._loop.close()

    async def _turns(self) -> None:
        while True:
            await _set_within(self._woken, self._reporter.due_in())
            if self._woken.is_set():
                await _set_within(self._hurried, GATHER_SECONDS)
            self._woken.clear()
            self._hurried.clear()
            flushes, self._flushes = self._flushes, []
            try:
                await self._reporter.push(whole=bool(flushes))
            except Exception:  # a defect of ours must not end the log
                _log.exception("log and figures could not be written")
                await asyncio.sleep(1.0)
            for done in flushes:
                done.set()
            if self._stopping and not self._flushes:
                await self._reporter.close()
                return


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)


def arm_process(component: str, settings: Settings) -> None:
    """Once a process, by whatever it runs first; harmless when called again. Never raises and never waits."""
    global _armed
    with _arming:
        if _armed is not None:
            return
        try:
            _armed = _arm(component, settings)
            _log.info("%s has started as process %d", component, os.getpid())
        except Exception:
            _log.exception("%s goes on without storing its log and figures", component)


def flush_process(seconds: float = FLUSH_SECONDS) -> None:
    """Stores what this process has said so far, before it ends."""
    if _armed is not None:
        _armed.flush(seconds)


def _arm(component: str, settings: Settings) -> "ProcessReport | None":
    redactor = Redactor(secrets_of(settings))
    redact_records(redactor)
    handler = RowHandler()
    _listen(handler, settings.log_level)
    if settings.database_url is None:
        return None
    store = LogWriter(settings.database_url.get_secret_value(), component)
    report = ProcessReport(Reporter(component, store, handler, redactor, SystemClock(), snapshot), handler)
    report.start()
    atexit.register(report.stop)
    return report


def _listen(handler: RowHandler, level: str) -> None:
    """Ours at LOG_LEVEL, everybody else's warnings; and warnings go on being printed."""
    root = logging.getLogger()
    if not root.handlers:  # with ours alone, Python would print none any more
        printed = logging.StreamHandler(sys.stderr)
        printed.setLevel(logging.WARNING)
        printed.setFormatter(logging.Formatter(_FORMAT))
        root.addHandler(printed)
    root.addHandler(handler)
    for name in OUR_PACKAGES:
        logging.getLogger(name).setLevel(level)
    for name in _HAVE_HANDLERS_OF_THEIR_OWN:
        if not _reaches_root(logging.getLogger(name)):
            logging.getLogger(name).addHandler(handler)
    logging.getLogger("asyncpg.pool").addFilter(one_line)


def _reaches_root(logger: logging.Logger) -> bool:
    """Whether what it says comes to a handler of ours by itself: at the root, or at a logger on the way."""
    at: logging.Logger | None = logger
    while at is not None and at.parent is not None:
        if any(isinstance(handler, RowHandler) for handler in at.handlers):
            return True
        if not at.propagate:
            return False
        at = at.parent
    return True


def one_line(record: logging.LogRecord) -> bool:
    """The driver's pool tells every try with a trace, while a database that is away is nobody's defect."""
    if record.exc_info and record.exc_info[1] is not None:
        record.msg = f"{record.getMessage()}: {record.exc_info[1]}".replace("\n", " ")
        record.args, record.exc_info, record.exc_text = (), None, None
    return True


def redact_records(redactor: Redactor) -> None:
    """Takes secrets out of every record as it is made, whichever handler prints it."""
    make = logging.getLogRecordFactory()

    def made(*arguments: Any, **named: Any) -> logging.LogRecord:
        record = make(*arguments, **named)
        with suppress(Exception):  # arguments that do not fit: whoever prints the record says so
            said = record.getMessage()
            if (clean := redactor.text(said)) != said:
                record.msg, record.args = clean, ()
            if record.exc_info and record.exc_info[0] is not None:
                trace = logging.Formatter().formatException(record.exc_info)
                if (clean := redactor.text(trace)) != trace:
                    record.exc_text, record.exc_info = clean, None
        return record

    logging.setLogRecordFactory(made)


def secrets_of(settings: Settings) -> set[str]:
    """Every secret setting's value, in every spelling in which it may turn up."""
    return {
        spelt
        for name in type(settings).model_fields
        for secret in _secrets(getattr(settings, name))
        for spelt in spellings(secret)
    }


def _secrets(value: object) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, tuple | list | set | frozenset):
        for inner in value:
            yield from _secrets(inner)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _secrets(inner)
