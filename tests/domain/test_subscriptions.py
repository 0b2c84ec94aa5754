"""Which frames a live connection wants."""

import fnmatch
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.subscriptions import MAX_PATTERN_CHARS, MAX_PATTERNS, RefusedPatterns, Subscriptions, matches


def subscribed(*patterns: str) -> Subscriptions:
    return taken(Subscriptions().subscribe(list(patterns)))


def taken(answer: Subscriptions | RefusedPatterns) -> Subscriptions:
    assert isinstance(answer, Subscriptions), answer
    return answer


def refused(answer: Subscriptions | RefusedPatterns) -> str:
    assert isinstance(answer, RefusedPatterns), answer
    return answer.message


def test_nothing_subscribed_means_everything() -> None:
    assert Subscriptions().wants("detection.new")
    assert Subscriptions().wants("event")


def test_a_glob_takes_the_types_it_covers_and_no_others() -> None:
    subscriptions = subscribed("detection.*")
    assert subscriptions.wants("detection.new")
    assert subscriptions.wants("detection.batch")
    assert not subscriptions.wants("event.created")
    assert not subscriptions.wants("detection")


def test_a_star_takes_everything() -> None:
    assert subscribed("*").wants("system.health_changed")


def test_a_plain_name_takes_just_its_type() -> None:
    assert subscribed("event").wants("event")
    assert not subscribed("event").wants("event.created")


def test_a_question_mark_is_one_character() -> None:
    assert subscribed("job.?ailed").wants("job.failed")
    assert not subscribed("job.?ailed").wants("job.ailed")


def test_dots_and_case_are_literal() -> None:
    assert not subscribed("detection.new").wants("detectionXnew")
    assert not subscribed("Detection.*").wants("detection.new")


def test_subscriptions_add_up() -> None:
    both = taken(subscribed("alert.*").subscribe(["event.*"]))
    assert both.wants("alert.created")
    assert both.wants("event.created")
    assert not both.wants("job.started")


def test_subscribing_makes_a_new_value_and_leaves_the_old_one() -> None:
    before = subscribed("alert.*")
    taken(before.subscribe(["event.*"]))
    assert not before.wants("event.created")


def test_subscribing_to_nothing_changes_nothing() -> None:
    assert taken(subscribed("alert.*").subscribe([])) == subscribed("alert.*")


def test_unsubscribing_one_pattern_leaves_the_others() -> None:
    left = taken(subscribed("alert.*", "event.*").unsubscribe(["alert.*"]))
    assert left.patterns == {"event.*"}
    assert not left.wants("alert.created")


def test_unsubscribing_a_broad_pattern_ends_the_narrower_ones() -> None:
    left = taken(subscribed("detection.new", "detection.*", "event").unsubscribe(["detection.*"]))
    assert left.patterns == {"event"}


@pytest.mark.parametrize("narrower", ["alert.*", "?", "?*"])
def test_unsubscribing_a_narrow_pattern_leaves_a_broader_one(narrower: str) -> None:
    assert taken(subscribed("*").unsubscribe([narrower])).patterns == {"*"}


def test_after_the_last_pattern_is_unsubscribed_everything_comes_again() -> None:
    left = taken(subscribed("alert.*", "event.*").unsubscribe(["*"]))
    assert left.patterns == frozenset()
    assert left.wants("job.started")


def test_unsubscribing_what_was_not_subscribed_changes_nothing() -> None:
    assert taken(subscribed("alert.*").unsubscribe(["job.*"])) == subscribed("alert.*")


@pytest.mark.parametrize("wrong", [None, "detection.*", 5, {"a": 1}, [1], [None], [["x"]], [""], ["ok", 3]])
def test_what_is_no_list_of_strings_is_refused(wrong: Any) -> None:
    assert "list of strings" in refused(Subscriptions().subscribe(wrong))
    assert "list of strings" in refused(Subscriptions().unsubscribe(wrong))


@pytest.mark.parametrize("wrong", ["[a-z]*", "(a+)+$", "a|b", "a b", "a\n", "é", "a\x00", "{camera}", "a\\*"])
def test_signs_of_other_pattern_languages_are_refused(wrong: str) -> None:
    assert "only letters" in refused(Subscriptions().subscribe([wrong]))


def test_a_pattern_has_a_greatest_length() -> None:
    assert subscribed("a" * MAX_PATTERN_CHARS).patterns
    assert str(MAX_PATTERN_CHARS) in refused(Subscriptions().subscribe(["a" * (MAX_PATTERN_CHARS + 1)]))


def test_the_number_of_patterns_is_bounded_over_all_requests() -> None:
    full = subscribed(*(f"a.{n}" for n in range(MAX_PATTERNS)))
    assert str(MAX_PATTERNS) in refused(full.subscribe(["one.more"]))
    assert str(MAX_PATTERNS) in refused(Subscriptions().subscribe(["x"] * (MAX_PATTERNS + 1)))
    assert taken(full.subscribe(["a.1"])) == full


def test_of_a_refused_request_nothing_is_taken() -> None:
    before = subscribed("alert.*")
    refused(before.subscribe(["event.*", "("]))
    assert not before.wants("event.created")


signs = st.text("ab.*?", max_size=8)


@settings(deadline=None, max_examples=400)
@given(signs, st.text("ab.", max_size=10))
def test_globs_mean_what_a_shells_do(pattern: str, text: str) -> None:
    assert matches(pattern, text) is fnmatch.fnmatchcase(text, pattern)


@settings(deadline=None)
@given(signs, signs, st.text("ab.", max_size=6))
def test_a_pattern_that_ends_another_covers_all_that_the_other_covers(broad: str, narrow: str, text: str) -> None:
    if matches(broad, narrow) and matches(narrow, text):
        assert matches(broad, text)


def test_a_pattern_full_of_stars_takes_no_more_steps_than_pattern_times_text() -> None:
    looked_at = 0

    class Counted(str):
        def __getitem__(self, key: Any) -> str:
            nonlocal looked_at
            looked_at += 1
            return super().__getitem__(key)

    pattern, text = "*a" * 31 + "b", Counted("a" * 40)
    assert not matches(pattern, text)
    assert looked_at <= 2 * len(pattern) * len(text)
    assert re.fullmatch("a*", text)
