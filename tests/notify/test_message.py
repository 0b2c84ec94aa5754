"""What an alert's message takes and refuses."""

import pickle
from datetime import datetime

import pytest
from pydantic import ValidationError

from tests.notify.messages import PICTURE, alert


@pytest.mark.parametrize("key", ["", "a b", "a\r\nX: y", "a\n", "schlüssel", "x" * 201])
def test_a_key_that_is_not_fit_for_a_header_is_refused(key: str) -> None:
    with pytest.raises(ValidationError, match="idempotency_key"):
        alert(idempotency_key=key)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValidationError, match="started_at"):
        alert(started_at=datetime(2025, 11, 22, tzinfo=None))  # noqa: DTZ001


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "https://x/ y", "https://x/\n", "https://"])
def test_a_console_address_that_is_not_http_or_holds_blanks_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="console_url"):
        alert(console_url=url)


def test_a_message_travels_between_processes() -> None:
    assert pickle.loads(pickle.dumps(alert())) == alert()


def test_its_picture_is_not_printed() -> None:
    assert repr(PICTURE)[:20] not in repr(alert())
