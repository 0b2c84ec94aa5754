"""Outside text made safe."""

import json
import unicodedata
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.text import one_line, paragraphs, plain, plain_json

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=300)


@given(ANY_TEXT, st.integers(min_value=2, max_value=200))
def test_one_line_is_one_bounded_line_that_can_be_encoded(text: str, limit: int) -> None:
    line = one_line(text, limit)

    assert len(line) <= limit
    assert len(line.splitlines()) <= 1
    assert not any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in line)
    line.encode()


@pytest.mark.parametrize("control", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\ufeff")
def test_characters_that_reorder_or_hide_text_are_taken_out(control: str) -> None:
    assert plain(f"Front{control}Door") == "FrontDoor"


def test_writing_from_right_to_left_and_joined_emoji_stay() -> None:
    assert plain("כניסה 👩\u200d🚒") == "כניסה 👩\u200d🚒"


def test_a_half_surrogate_pair_from_an_undecodable_file_name_becomes_the_replacement_character() -> None:
    assert plain("caf\udce9") == "caf\ufffd"


def test_long_text_ends_in_an_ellipsis() -> None:
    assert one_line("a" * 10, 5) == "aaaa…"


def test_paragraphs_are_the_lines_that_hold_something() -> None:
    assert paragraphs("one\r\n\r\n  two \u2028three\x00", 100) == ["one", "two", "three"]


def test_numbers_that_json_does_not_know_become_null() -> None:
    assert plain_json({"a": nan, "b": [inf, 1.5], "c": True}) == {"a": None, "b": [None, 1.5], "c": True}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
        max_leaves=20,
    )
)
def test_any_cleaned_value_is_json_that_can_be_encoded(value: object) -> None:
    json.dumps(plain_json(value), allow_nan=False, ensure_ascii=False).encode()
