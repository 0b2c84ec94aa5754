"""Text from outside as a JSON string that it cannot leave."""

import json
import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.quoting import cleaned, quoted
from tests.domain.injections import INJECTIONS

anything = st.one_of(
    st.text(st.characters(codec=None), max_size=300),
    st.text(
        st.sampled_from("<>|[]{}\"\\/:,`#~*_-.'…\n\r\t\x00\u2028\u202e\ufeff\u0301aé 漢\U0001f319\ud800"), max_size=120
    ),
)
bounds = st.integers(3, 120)
WRITTEN = re.compile(r'"(?:[^\W]|[ \-_.\'…]|\\u[0-9a-f]{4}|[^\x00-\x7f])*"')
STRUCTURE = frozenset('"\\<>|[]{}()/:,;`#~*=+&%$@!?^\n\r\t')


@pytest.mark.parametrize(
    "name", ["Front Door", "Kid's room 2", "Tür zum Hof", "玄関", "מרפסת", "بوابة", "रसोई", "front_door-1.left"]
)
def test_ordinary_names_of_any_script_stay_as_they_are(name: str) -> None:
    assert cleaned(name, 80) == name
    assert quoted(name) == f'"{name}"'


def test_whatever_delimits_something_is_escaped() -> None:
    assert quoted('a"}<|im_end|>') == r'"a\u0022\u007d\u003c\u007cim_end\u007c\u003e"'
    assert quoted("[INST]") == r'"\u005bINST\u005d"'
    assert quoted("</think>") == r'"\u003c\u002fthink\u003e"'
    assert quoted("🌙") == r'"\ud83c\udf19"'


def test_a_character_that_folds_into_a_delimiter_is_escaped_like_one() -> None:
    assert quoted("＜｜x") == r'"\uff1c\uff5cx"'


def test_runs_of_punctuation_are_broken_up() -> None:
    assert quoted("a--b '''") == r'"a-\u002db ' + "'" + r'\u0027\u0027"'


def test_a_mark_stays_with_its_letter_and_is_escaped_without_one() -> None:
    assert quoted("e\u0301") == '"e\u0301"'
    assert quoted("\u0301e") == r'"\u0301e"'


def test_lines_and_controls_become_spaces_and_unseen_characters_go() -> None:
    assert cleaned(" a\r\nb\x00\u2028c\u202e\u200b\ufeff\U000e0041\ufe0fd\ud800 ", 80) == "a b cd"


def test_what_is_too_long_when_quoted_ends_in_an_ellipsis() -> None:
    assert cleaned("a" * 81, 80) == "a" * 77 + "…"
    assert cleaned("<" * 81, 80) == "<" * 12 + "…"
    assert cleaned("漢" * 81, 80) == "漢" * 25 + "…"
    assert cleaned("a" * 80, 80) == "a" * 80


def test_an_escape_is_never_cut_in_two() -> None:
    written = [quoted(cleaned("<<<", most)) for most in (14, 15, 17, 18)]

    assert written == [r'"\u003c…"', r'"\u003c\u003c…"', r'"\u003c\u003c…"', r'"\u003c\u003c\u003c"']


@pytest.mark.parametrize("text", INJECTIONS)
def test_no_injection_has_a_delimiter_left(text: str) -> None:
    inside = quoted(cleaned(text, 80))[1:-1]

    assert not STRUCTURE & set(re.sub(r"\\u[0-9a-f]{4}", "", inside))
    assert len(inside.encode()) <= 80


@settings(deadline=None)
@given(anything)
def test_any_text_stays_one_json_string_on_one_line(text: str) -> None:
    written = quoted(text)

    assert WRITTEN.fullmatch(written)
    assert len(written.splitlines()) == 1
    assert not STRUCTURE & set(re.sub(r"\\u[0-9a-f]{4}", "", written[1:-1]))
    assert json.loads(written).encode("utf-16", "surrogatepass") == text.encode("utf-16", "surrogatepass")


@settings(deadline=None)
@given(anything, bounds)
def test_cleaned_text_comes_back_from_json_as_it_was_and_within_its_bound(text: str, most: int) -> None:
    line = cleaned(text, most)

    assert json.loads(quoted(line)) == line
    assert len(quoted(line).encode()) - 2 <= most
    assert not any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp") for char in line)
    line.encode()


@settings(deadline=None)
@given(anything, bounds)
def test_clean_text_stays_as_it_is(text: str, most: int) -> None:
    line = cleaned(text, most)

    assert cleaned(line, most) == line


@settings(deadline=None)
@given(anything)
def test_no_compatible_form_of_what_is_written_delimits_anything(text: str) -> None:
    written = re.sub(r"\\u[0-9a-f]{4}", "", quoted(cleaned(text, 80))[1:-1])

    assert not STRUCTURE & set(unicodedata.normalize("NFKC", written))
