"""Log text: whatever comes, it is bounded and says what is in it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.log_text import EXTRA_CHARS, MOST_ITEMS, bounded, visible


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("plain, ünïcode, 漢字 🎥", "plain, ünïcode, 漢字 🎥"),
        ("two\nlines\r\n", "two\\nlines\\r\\n"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("nu\x00ll", "null"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\u2028", "\\u2028"),
        ("\udcff", "\\udcff"),
    ],
)
def test_what_a_terminal_would_obey_is_written_out(given_text: str, shown: str) -> None:
    assert visible(given_text, 100) == shown


def test_a_trace_keeps_its_lines() -> None:
    assert visible("a\n\tb\x07", 100, keep_lines=True) == "a\n\tb\\x07"


@given(st.text(alphabet=st.characters()), st.integers(1, 50))
def test_any_text_is_bounded_and_can_be_stored(text: str, limit: int) -> None:
    shown = visible(text, limit)
    assert len(shown) <= limit
    assert "\x00" not in shown
    shown.encode("utf-8")


def test_structure_is_cut_to_depth_number_and_size() -> None:
    deep: object = "end"
    for _ in range(100):
        deep = {"in": deep}
    shown = bounded({"deep": deep, "many": list(range(1000)), "long": "x" * 100_000, "bytes": b"\xff"})
    assert shown["deep"] == {"in": {"in": {"in": {"in": "…"}}}}
    assert len(shown["many"]) == MOST_ITEMS
    assert len(json.dumps(shown)) < 2 * EXTRA_CHARS
    assert shown["bytes"] == "b'\\xff'"


def test_numbers_that_json_does_not_know_become_text() -> None:
    assert bounded([float("nan"), float("inf"), 2**70, 1.5, True, None]) == ["nan", "inf", str(2**70), 1.5, True, None]


def test_an_object_whose_text_fails_is_named_by_its_class() -> None:
    class Broken:
        def __str__(self) -> str:
            raise ValueError("no")

    assert bounded({"a": Broken()}) == {"a": "<Broken>"}


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


@given(json_values)
def test_any_value_can_be_stored_as_json(value: object) -> None:
    text = json.dumps(bounded(value), allow_nan=False, ensure_ascii=False)
    assert "\\u0000" not in text
    text.encode("utf-8")
