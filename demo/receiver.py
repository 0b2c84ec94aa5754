"""A webhook receiver on this machine's loopback that prints one line for each alert it is sent."""

import json
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TextIO

_MOST_BYTES = 1_000_000
_MOST_KEYS = 10_000
_REQUEST_SECONDS = 10.0
_STOP_NOTICED_SECONDS = 0.05
_SUMMARY_CHARACTERS = 160

Alert = dict[str, Any]


class AlertReceiver:
    """Listens on 127.0.0.1, a free port; prints each alert once, however often its Idempotency-Key comes.

    `on_alert` is called with the whole body of each first delivery, from the receiver's own thread.
    """

    def __init__(self, on_alert: Callable[[Alert], None] | None = None, out: TextIO | None = None) -> None:
        self._on_alert = on_alert
        self._out = out
        self._seen: dict[str, None] = {}
        self._one_at_a_time = threading.Lock()
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> str:
        """Begins to listen and returns the address to send alerts to."""
        if self._server is not None:
            raise RuntimeError("the receiver listens already")
        receive = self.receive

        class Handler(_AlertHandler):
            def receive(self, key: str, alert: Alert) -> None:
                receive(key, alert)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_STOP_NOTICED_SECONDS,), name="demo-receiver", daemon=True
        )
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_address[1]}/alerts"

    def stop(self) -> None:
        """Stops listening; a second call does nothing."""
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._server = self._thread = None

    def receive(self, key: str, alert: Alert) -> None:
        """Prints the alert unless its key was seen; an alert without a key is always new."""
        with self._one_at_a_time:
            if key and key in self._seen:
                return
            if key:
                self._seen[key] = None
                while len(self._seen) > _MOST_KEYS:
                    del self._seen[next(iter(self._seen))]
            print(alert_line(alert), file=self._out or sys.stdout, flush=True)
            if self._on_alert is not None:
                self._on_alert(alert)


class _AlertHandler(BaseHTTPRequestHandler, ABC):
    timeout = _REQUEST_SECONDS

    @abstractmethod
    def receive(self, key: str, alert: Alert) -> None:
        """What is done with an alert and its Idempotency-Key."""

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            return self._answer(411, "a body with Content-Length is needed")
        if int(length) > _MOST_BYTES:
            return self._answer(413, "the body is too large")
        try:
            alert = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            return self._answer(400, "the body is no JSON")
        if not isinstance(alert, dict):
            return self._answer(422, "the body is no JSON object")
        self.receive(self.headers.get("Idempotency-Key", ""), alert)
        return self._answer(200, "received")

    def _answer(self, status: int, message: str) -> None:
        body = json.dumps({"message": message}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        if status >= 400:
            # What is left of a refused body must not be taken for the next request.
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Requests are not logged: the line for the alert is what the reader wants."""


def alert_line(alert: Alert) -> str:
    """`06:46:02  Front Door  HIGH  72  A person left a package`; what is missing is a dash."""
    event, level = _part(alert, "event"), _part(alert, "alert").get("severity")
    fields = [
        _clock_time(_part(alert, "alert").get("created_at") or event.get("started_at")),
        _shown(_part(alert, "camera").get("name") or event.get("camera_id")),
        _shown(level or event.get("risk_level")).upper(),
        _shown(event.get("risk_score")),
        _shown(event.get("summary")),
    ]
    return "  ".join(fields)


def _part(alert: Alert, name: str) -> Alert:
    part = alert.get(name)
    return part if isinstance(part, dict) else {}


def _shown(value: object) -> str:
    """Text from outside, fit for one line of a terminal: control characters escaped, and not too long."""
    if value is None or value == "":
        return "-"
    text = str(value)[:_SUMMARY_CHARACTERS]
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def _clock_time(value: object) -> str:
    """The local time of day of an ISO time; now, where there is none."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        moment = datetime.now().astimezone()
    return f"{moment.astimezone():%H:%M:%S}"
