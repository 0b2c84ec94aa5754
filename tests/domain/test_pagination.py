"""Cursors come back as they were made; anything else is a BadCursor and nothing but a BadCursor."""

import base64
import hashlib
import json
import pickle
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.pagination import MAX_CURSOR_CHARS, BadCursor, CursorKind, CursorValue, decode_cursor, encode_cursor

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
KINDS: tuple[CursorKind, ...] = (datetime, int)

values = st.one_of(
    st.datetimes(timezones=st.just(UTC)),
    st.integers(-(2**63), 2**63 - 1),
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=200),
    st.uuids(),
)


def forged(payload: bytes) -> str:
    """With a right digest, as anyone can make who has read the code."""
    digest = hashlib.blake2s(payload, digest_size=4).digest()
    return base64.urlsafe_b64encode(digest + payload).decode().rstrip("=")


@settings(deadline=None)
@given(st.lists(values, max_size=2))
def test_a_cursor_gives_back_what_it_was_made_of(made_of: list[CursorValue]) -> None:
    text = encode_cursor(made_of)
    assert decode_cursor(text, [type(value) for value in made_of]) == tuple(made_of)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", text)
    assert len(text) <= MAX_CURSOR_CHARS


def test_a_time_keeps_its_microseconds_and_comes_back_in_utc() -> None:
    elsewhere = MOMENT.astimezone(timezone(timedelta(hours=-5)))
    (back,) = decode_cursor(encode_cursor([elsewhere]), (datetime,))
    assert back == MOMENT
    assert isinstance(back, datetime)
    assert back.tzinfo is UTC


def test_the_longest_names_in_any_script_fit() -> None:
    name = "𠀀" * 255
    assert decode_cursor(encode_cursor([name, 1]), (str, int)) == (name, 1)


@pytest.mark.parametrize(
    "unfit", [MOMENT.replace(tzinfo=None), 2**63, -(2**63) - 1, "nul\x00", "\udc80", "x" * MAX_CURSOR_CHARS]
)
def test_what_could_not_come_back_is_refused_when_made(unfit: CursorValue) -> None:
    with pytest.raises(ValueError, match=r"cursor|surrogates"):
        encode_cursor([unfit])


@settings(deadline=None)
@given(st.text(st.characters(codec=None), max_size=300))
@example("")
@example("=")
@example("é")
@example("\x00")
@example("A" * (MAX_CURSOR_CHARS + 1))
def test_no_text_raises_anything_but_bad_cursor(text: str) -> None:
    with pytest.raises(BadCursor):
        decode_cursor(text, KINDS)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_bad_cursor(data: bytes) -> None:
    with pytest.raises(BadCursor):
        decode_cursor(base64.urlsafe_b64encode(data).decode().rstrip("="), KINDS)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)


@settings(deadline=None)
@given(json_values, st.lists(st.sampled_from([datetime, int, str, UUID]), max_size=4))
def test_a_forged_cursor_gives_values_of_the_asked_kinds_or_a_bad_cursor(
    content: object, kinds: Sequence[CursorKind]
) -> None:
    try:
        decoded = decode_cursor(forged(json.dumps(content, ensure_ascii=False).encode(errors="replace")), kinds)
    except BadCursor:
        return
    assert [type(value) for value in decoded] == list(kinds)


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (b"[true]", int),
        (b"[1.0]", int),
        (b"[NaN]", int),
        (b"[null]", int),
        (b'["1"]', int),
        (b"[9223372036854775808]", int),
        (b"[" + b"9" * 1400 + b"]", int),
        (b"[" + b"9" * 1400 + b"]", datetime),
        (b"[-62135596800000001]", datetime),
        (b'["nul\\u0000"]', str),
        (b'["\\ud800"]', str),
        (b"[1]", str),
        (b'["550E8400-E29B-41D4-A716-446655440000"]', UUID),
        (b'["not a uuid"]', UUID),
        (b"[ 1]", int),
        (b"[[1]]", int),
        (b"[" * 1400, int),
        (b'{"a":1}', int),
        (b"[1,2]", int),
        (b"[]", int),
        (b"", int),
        (b"\xff\xfe[\x001\x00]\x00", int),
    ],
)
def test_a_forged_value_that_the_database_could_not_take_is_a_bad_cursor(payload: bytes, kind: CursorKind) -> None:
    with pytest.raises(BadCursor):
        decode_cursor(forged(payload), (kind,))


def test_another_lists_cursor_is_a_bad_cursor() -> None:
    by_alert = encode_cursor([MOMENT, uuid4()])
    with pytest.raises(BadCursor):
        decode_cursor(by_alert, KINDS)


@settings(deadline=None)
@given(st.data())
def test_a_cursor_with_one_character_changed_is_a_bad_cursor(data: st.DataObject) -> None:
    text = encode_cursor([MOMENT, 1234])
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters().filter(lambda char: char != text[at]))
    with pytest.raises(BadCursor):
        decode_cursor(text[:at] + other + text[at + 1 :], KINDS)


def test_a_cursor_that_was_cut_off_is_a_bad_cursor() -> None:
    text = encode_cursor([MOMENT, 1234])
    for length in range(len(text)):
        with pytest.raises(BadCursor):
            decode_cursor(text[:length], KINDS)


@pytest.mark.parametrize("extra", ["=", "==", "A", " ", "\n", "+"])
def test_a_cursor_with_something_added_is_a_bad_cursor(extra: str) -> None:
    text = encode_cursor([MOMENT, 1234])
    for changed in (text + extra, extra + text):
        with pytest.raises(BadCursor):
            decode_cursor(changed, KINDS)


def test_the_error_survives_pickling_and_does_not_repeat_what_was_sent() -> None:
    with pytest.raises(BadCursor) as caught:
        decode_cursor("<script>", KINDS)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert type(copy) is BadCursor
    assert str(copy) == str(caught.value)
    assert "script" not in str(copy)
