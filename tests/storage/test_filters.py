"""The one helper behind every list's WHERE clause."""

import pytest

from storage.filters import Filters, like_pattern
from storage.postgres import Pool


def test_nothing_asked_for_is_no_where_clause() -> None:
    assert Filters().equal("a", None).between("b", None, None).contains(["c"], None).before(["d"], None).where == ""


def test_each_value_becomes_a_numbered_argument_and_never_text() -> None:
    hostile = "x'; DROP TABLE events; --"
    filters = Filters().equal("camera_id", hostile).add("score >= {} AND score <= {}", 1, 2)
    assert filters.where == "WHERE camera_id = $1 AND score >= $2 AND score <= $3"
    assert filters.arguments == [hostile, 1, 2]
    assert "DROP" not in filters.where


def test_false_and_zero_are_values() -> None:
    filters = Filters().equal("reviewed", False).between("score", 0, None)
    assert filters.where == "WHERE reviewed = $1 AND score >= $2"
    assert filters.arguments == [False, 0]


def test_a_further_argument_is_numbered_after_the_conditions() -> None:
    filters = Filters().equal("a", 1)
    assert filters.argument(50) == "$2"


def test_a_text_is_looked_for_in_every_column_by_one_argument() -> None:
    filters = Filters().contains(["summary", "reasoning"], "door")
    assert filters.where == "WHERE (summary ILIKE $1 OR reasoning ILIKE $1)"
    assert filters.arguments == ["%door%"]


def test_a_page_goes_on_after_a_row_by_all_its_sort_columns() -> None:
    assert Filters().before(["at", "id"], [7, 8]).where == "WHERE (at, id) < ($1, $2)"
    assert Filters().after(["id"], ["a"]).where == "WHERE (id) > ($1)"


def test_values_and_columns_of_another_number_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="1 values for 2 columns"):
        Filters().before(["at", "id"], [7])


@pytest.mark.parametrize("text", ["100%", "under_score", "back\\slash", "\\%_", "'", "%", "\\"])
async def test_a_text_is_found_literally_and_nothing_else_is(database: Pool, text: str) -> None:
    matches = "SELECT $1::text ILIKE $2"
    assert await database.fetchval(matches, f"before {text} after", like_pattern(text))
    assert not await database.fetchval(matches, "before XYZ after", like_pattern(text))
