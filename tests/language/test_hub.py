"""The hub is asked once and briefly; what it answers, or that it does not, becomes a sentence."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest

from language.errors import ModelAway, ModelUnusable
from language.hub import look_at_hub

ANSWERS: dict[str, tuple[int, dict[str, str]]] = {
    "there": (200, {"ETag": '"abc"', "X-Repo-Commit": "c0ffee", "Content-Length": "2"}),
    "gone": (404, {"X-Error-Code": "RepoNotFound"}),
    "gated": (403, {"X-Error-Code": "GatedRepo"}),
    "bare": (404, {"X-Error-Code": "EntryNotFound"}),
    "broken": (500, {}),
    "busy": (429, {}),
}


class Hub(BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        status, headers = ANSWERS[self.path.split("/")[2]]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def hub() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_model_that_is_there_passes(hub: str) -> None:
    look_at_hub("org/there", hub)


@pytest.mark.parametrize(
    ("name", "words"), [("gone", "check NEMOTRON_MODEL"), ("gated", "HF_TOKEN"), ("bare", "has no config.json")]
)
def test_a_model_that_is_not_given_is_for_somebody_to_mend(hub: str, name: str, words: str) -> None:
    with pytest.raises(ModelUnusable, match=words):
        look_at_hub(f"org/{name}", hub)


@pytest.mark.parametrize("name", ["broken", "busy"])
def test_a_hub_with_trouble_of_its_own_is_tried_again(hub: str, name: str, tmp_path: Path) -> None:
    with pytest.raises(ModelAway, match="it is tried again") as caught:
        look_at_hub(f"org/{name}", hub, str(tmp_path))
    assert not isinstance(caught.value, ModelUnusable)


def test_a_hub_that_does_not_answer_is_tried_again(tmp_path: Path) -> None:
    with pytest.raises(ModelAway, match="the hub does not answer, so org/name cannot be fetched"):
        look_at_hub("org/name", "http://127.0.0.1:9", str(tmp_path))


def test_a_model_fetched_before_is_used_without_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    kept = tmp_path / "models--org--name"
    (kept / "snapshots" / "c0ffee").mkdir(parents=True)
    (kept / "snapshots" / "c0ffee" / "config.json").write_text("{}")
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text("c0ffee")
    look_at_hub("org/name", "http://127.0.0.1:9", str(tmp_path))
    assert huggingface_hub.constants.HF_HUB_OFFLINE is True
