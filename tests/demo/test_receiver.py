import io
import json
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import httpx
import pytest

from demo.receiver import AlertReceiver, alert_line

# One client for all: httpx reads every root certificate for each that it makes.
CLIENT = httpx.Client(verify=False)

ALERT: dict[str, Any] = {
    "type": "alert",
    "alert": {"severity": "high", "created_at": "2026-11-22T06:46:02Z"},
    "event": {"risk_score": 72, "risk_level": "medium", "summary": "A person left a package"},
    "camera": {"id": "front_door", "name": "Front Door"},
    "rule": {"name": "Somebody at the door"},
}


class Room:
    """A receiver that listens, what it printed and what it told."""

    def __init__(self) -> None:
        self.out = io.StringIO()
        self.told: list[dict[str, Any]] = []
        self.receiver = AlertReceiver(self.told.append, self.out)
        self.url = self.receiver.start()

    def send(self, body: object, key: str | None = None) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return CLIENT.post(self.url, content=content, headers={"Idempotency-Key": key} if key else {})

    @property
    def lines(self) -> list[str]:
        return self.out.getvalue().splitlines()


@pytest.fixture
def room() -> Iterator[Room]:
    opened = Room()
    yield opened
    opened.receiver.stop()


def test_an_alert_is_one_line_with_camera_severity_score_and_summary(room: Room) -> None:
    assert room.send(ALERT, "k1").status_code == 200
    (line,) = room.lines
    assert line[2] == line[5] == ":"
    assert line[8:] == "  Front Door  HIGH  72  A person left a package"


def test_a_repeated_key_prints_one_line(room: Room) -> None:
    assert [room.send(ALERT, "k1").status_code for _ in range(3)] == [200, 200, 200]
    assert len(room.lines) == 1
    assert room.told == [ALERT]


def test_another_key_is_another_alert(room: Room) -> None:
    for key in ("k1", "k2"):
        room.send(ALERT, key)
    assert len(room.lines) == 2


def test_alerts_without_a_key_are_all_printed(room: Room) -> None:
    for _ in range(2):
        room.send(ALERT)
    assert len(room.lines) == 2


def test_control_characters_cannot_reach_the_terminal(room: Room) -> None:
    room.send({"camera": {"name": "x\x1b[2J\r\nFAKE\u202e"}, "event": {"summary": "a\nb\x07"}}, "k1")
    (line,) = room.lines
    assert line.isprintable()
    assert "x\\x1b[2J\\r\\nFAKE\\u202e" in line


def test_letters_of_any_language_are_shown_as_they_are(room: Room) -> None:
    room.send({"camera": {"name": "Haustür 玄関"}}, "k1")
    assert "Haustür 玄関" in room.lines[0]


@pytest.mark.parametrize("body", [{}, {"alert": None, "event": [], "camera": "x"}, {"alert": {"created_at": 5}}])
def test_missing_and_odd_parts_are_dashes(room: Room, body: object) -> None:
    assert room.send(body, "k1").status_code == 200
    assert room.lines[0].endswith("  -  -  -  -")


def test_a_score_of_zero_is_shown() -> None:
    assert "  0  " in alert_line({"event": {"risk_score": 0}})


def test_the_events_level_stands_in_for_a_missing_severity() -> None:
    assert "  MEDIUM  " in alert_line({"event": {"risk_level": "medium"}})


def test_a_long_summary_is_cut() -> None:
    assert len(alert_line({"event": {"summary": "x" * 5000}})) < 250


@pytest.mark.parametrize("body", [b"", b"no json", b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_is_no_json_is_refused(room: Room, body: bytes) -> None:
    assert room.send(body, "k1").status_code == 400
    assert room.lines == []


def test_a_body_that_is_no_object_is_refused(room: Room) -> None:
    assert room.send([ALERT], "k1").status_code == 422


def test_a_huge_body_is_refused_unread(room: Room) -> None:
    address = httpx.URL(room.url)
    connection = HTTPConnection(address.host, address.port or 0)
    connection.putrequest("POST", address.path)
    connection.putheader("Content-Length", "2000000")
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_a_body_of_unknown_length_is_refused(room: Room) -> None:
    answer = CLIENT.post(room.url, content=iter([b"{}"]))
    assert answer.status_code == 411


def test_a_refused_body_does_not_use_up_its_key(room: Room) -> None:
    room.send(b"no json", "k1")
    room.send(ALERT, "k1")
    assert len(room.lines) == 1


def test_it_listens_on_loopback_only(room: Room) -> None:
    assert room.url.startswith("http://127.0.0.1:")


def test_after_stopping_nobody_answers_and_stopping_again_does_nothing() -> None:
    room = Room()
    room.receiver.stop()
    with pytest.raises(httpx.ConnectError):
        room.send(ALERT, "k1")
    room.receiver.stop()


def test_it_can_start_again_and_still_knows_its_keys() -> None:
    room = Room()
    room.send(ALERT, "k1")
    room.receiver.stop()
    room.url = room.receiver.start()
    room.send(ALERT, "k1")
    room.receiver.stop()
    assert len(room.lines) == 1


def test_starting_twice_is_refused(room: Room) -> None:
    with pytest.raises(RuntimeError, match="already"):
        room.receiver.start()
