"""Outside text in our sentences: one bounded line."""

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.plain_text import plain


def test_ordinary_text_stays_as_it_is() -> None:
    assert plain("Nächtliche Ruhe 🌙", 50) == "Nächtliche Ruhe 🌙"


def test_line_breaks_and_controls_become_single_spaces() -> None:
    assert plain(" a\r\nBcc: b\x00\x1b[31mc\u2028d\x85e ", 50) == "a Bcc: b [31mc d e"


def test_marks_that_reorder_text_are_gone() -> None:
    assert plain("txt\u202egpj\u2066\ufeff", 50) == "txtgpj"


def test_long_text_is_cut_with_an_ellipsis() -> None:
    assert plain("a" * 11, 10) == "a" * 9 + "…"
    assert plain("a" * 10, 10) == "a" * 10


@settings(deadline=None)
@given(st.text(st.characters(codec=None)), st.integers(1, 30))
def test_the_result_is_a_bounded_line_that_can_be_encoded(text: str, limit: int) -> None:
    line = plain(text, limit)
    assert len(line) <= limit
    assert len(line.splitlines()) <= 1
    assert not any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in line)
    line.encode()
