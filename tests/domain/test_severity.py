"""Every score falls into exactly one level, by the bands and nothing else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.severity import definitions, level
from schemas.severity import Severity, SeverityBands

any_bands = st.lists(st.integers(1, 98), min_size=3, max_size=3, unique=True).map(
    lambda b: SeverityBands(**dict(zip(("low_max", "medium_max", "high_max"), sorted(b), strict=True)))
)


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (0, "low"),
        (29, "low"),
        (30, "medium"),
        (59, "medium"),
        (60, "high"),
        (84, "high"),
        (85, "critical"),
        (100, "critical"),
    ],
)
def test_the_default_bands_put_both_ends_of_each_range_into_its_level(score: int, expected: str) -> None:
    assert level(score, SeverityBands()) is Severity(expected)


def test_changed_bands_change_the_level() -> None:
    assert level(50, SeverityBands(low_max=20, medium_max=45, high_max=70)) is Severity.HIGH


@pytest.mark.parametrize("score", [-1, 101])
def test_a_score_outside_0_to_100_is_refused_instead_of_given_a_level(score: int) -> None:
    with pytest.raises(ValueError, match="from 0 to 100"):
        level(score, SeverityBands())


@settings(deadline=None)
@given(any_bands)
def test_the_definitions_cover_0_to_100_once_and_agree_with_the_level_of_each_score(bands: SeverityBands) -> None:
    covered = [(score, d.severity) for d in definitions(bands) for score in range(d.min_score, d.max_score + 1)]
    assert covered == [(score, level(score, bands)) for score in range(101)]


@settings(deadline=None)
@given(any_bands, st.integers(0, 99))
def test_a_higher_score_never_has_a_lower_level(bands: SeverityBands, score: int) -> None:
    assert level(score, bands).rank <= level(score + 1, bands).rank


def test_the_default_definitions_are_those_of_the_specification() -> None:
    shown = [tuple(d.model_dump(mode="json").values()) for d in definitions(SeverityBands())]
    assert shown == [
        ("low", "Low", "Routine activity, no concern", "#22c55e", 3, 0, 29),
        ("medium", "Medium", "Notable activity, worth reviewing", "#eab308", 2, 30, 59),
        ("high", "High", "Concerning activity, review soon", "#f97316", 1, 60, 84),
        ("critical", "Critical", "Immediate attention required", "#ef4444", 0, 85, 100),
    ]


def test_a_definition_has_the_fields_of_the_specification() -> None:
    assert list(definitions(SeverityBands())[0].model_dump()) == [
        "severity",
        "label",
        "description",
        "color",
        "priority",
        "min_score",
        "max_score",
    ]
