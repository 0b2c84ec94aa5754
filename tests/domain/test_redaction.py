"""Secrets come out of text: by their value, and by the place in which they stand."""

import pytest

from domain.redaction import Redactor, spellings


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("connecting to postgresql://hsi:hunter22@db:5432/x", "connecting to postgresql://hsi:***@db:5432/x"),
        ("redis://:hunter22@db/0 is away", "redis://:***@db/0 is away"),
        ("GET /ws/events?api_key=abc123&x=1", "GET /ws/events?api_key=***&x=1"),
        ('{"password": "p w", "n": 1}', '{"password": ***, "n": 1}'),
        ("X-API-Key: abc123", "X-API-Key: ***"),
        ("Authorization: Bearer abcdef123456", "Authorization: Bearer ***"),
        ("http://host:8000/path says a@b.org", "http://host:8000/path says a@b.org"),
        ("the monkey sat on a keyboard", "the monkey sat on a keyboard"),
    ],
)
def test_what_stands_where_a_secret_stands_is_hidden(text: str, shown: str) -> None:
    assert Redactor().text(text) == shown


def test_a_known_secret_is_hidden_wherever_it_stands() -> None:
    assert Redactor(["tops3cret", "tops3"]).text("a tops3cret, a tops3.") == "a ***, a ***."


def test_a_secret_too_short_to_be_told_from_text_is_left() -> None:
    assert Redactor(["abc"]).text("abc") == "abc"


def test_structures_are_searched_and_what_is_called_a_secret_goes() -> None:
    clean = Redactor(["tops3cret"]).value({"a": ["x tops3cret", 1], "api_key": "short", "tops3cret": {"password": "p"}})
    assert clean == {"a": ["x ***", 1], "api_key": "***", "***": {"password": "***"}}


@pytest.mark.parametrize(
    ("secret", "parts"),
    [
        ("postgresql://hsi:p%40ss1@db/home", {"p%40ss1", "p@ss1"}),
        ("phone:0123456789abcdef", {"0123456789abcdef"}),
        ("https://hooks.example.org/services/T00000000/B11111111/secret99secret", {"secret99secret", "T00000000"}),
        ("tgram://123456789abc/chat55555", {"123456789abc"}),
    ],
)
def test_the_secret_parts_of_a_setting_are_known_too(secret: str, parts: set[str]) -> None:
    assert parts <= spellings(secret)


def test_hosts_and_ordinary_words_of_an_address_are_not_hidden() -> None:
    assert not {"db", "home", "hsi", "hooks.example.org", "services"} & (
        spellings("postgresql://hsi:p@db/home") | spellings("https://hooks.example.org/services/notifications")
    )
