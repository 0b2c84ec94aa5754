"""What the deterministic assessor makes of a batch."""

from datetime import datetime, timedelta

import pytest

from domain.risk import assess
from domain.risk_weights import WEAPONS
from domain.severity import level
from schemas.assessment import AssessmentStanding
from schemas.runtime_config import RuntimeConfig
from schemas.severity import Severity, SeverityBands
from tests.domain.batch_scenes import NIGHT, NOON, assessed, fact, scene, score, seen

CONFIG = RuntimeConfig()


@pytest.mark.parametrize("object_type", ["car", "truck", "dog", "cat", "bird", "package", "bicycle", "unheard_of"])
def test_vehicles_animals_and_packages_by_day_are_low(object_type: str) -> None:
    assert 1 <= score(seen(object_type)) <= 15


@pytest.mark.parametrize(("confidence", "seconds"), [(0.5, 0), (0.9, 0), (0.9, 30), (0.9, 85)])
def test_one_person_by_day_is_low_to_low_medium(confidence: float, seconds: float) -> None:
    assert 25 <= score(seen("person", confidence, seconds=seconds)) <= 40


@pytest.mark.parametrize("seconds", [0, 10, 30, 40])
def test_one_person_in_the_middle_of_the_night_is_high(seconds: float) -> None:
    assert 60 <= score(seen("person", seconds=seconds), at=NIGHT) <= 75


@pytest.mark.parametrize(("number", "seconds"), [(2, 60), (3, 40), (4, 80)])
def test_several_people_lingering_at_night_are_critical(number: int, seconds: float) -> None:
    result = score(seen("person", number=number, seconds=seconds), at=NIGHT)

    assert result >= 85
    assert level(result, CONFIG.severity) is Severity.CRITICAL


def test_a_car_at_night_stays_below_a_person_at_night() -> None:
    assert score(seen("car"), at=NIGHT) < 30 < score(seen("person"), at=NIGHT)


@pytest.mark.parametrize("weapon", sorted(WEAPONS))
@pytest.mark.parametrize("confidence", [0.05, 0.5, 0.99])
def test_a_weapon_is_high_at_least_however_unsure_the_detector_was(weapon: str, confidence: float) -> None:
    assert score(seen("person"), seen(weapon, confidence)) >= 60


def test_the_weapons_floor_follows_the_configured_bands() -> None:
    config = RuntimeConfig(severity=SeverityBands(low_max=40, medium_max=80, high_max=90))

    assert assessed(seen("knife", 0.3), config=config).risk_score == 81


def test_a_score_ends_at_a_hundred_and_says_so() -> None:
    result = assessed(seen("person", 1, 20, 90), seen("gun", 1, 3), seen("truck", 1, 5), at=NIGHT)

    assert result.risk_score == 100
    assert result.factors[-1].name == "limit"
    assert sum(factor.points for factor in result.factors) == 100


def test_what_is_unusual_for_the_hour_scores_more_and_what_is_usual_less() -> None:
    plain_score = score(seen(), at=NIGHT)

    assert score(seen(), at=NIGHT, unusual=(fact(),)) > plain_score
    assert score(seen(), at=NIGHT, unusual=(fact(expected=4.0, deviation=-1.5),)) < plain_score


def test_the_further_from_usual_the_more_points() -> None:
    scores = [score(seen(), at=NIGHT, unusual=(fact(deviation=deviation),)) for deviation in (3.0, 4.5, 6.0)]

    assert scores == sorted(set(scores))


def test_the_more_usual_the_fewer_points() -> None:
    scores = [score(seen(), unusual=(fact(expected=expected, deviation=0.5),)) for expected in (5.0, 1.0, 0.1)]

    assert scores == sorted(set(scores))


def test_an_unreliable_baseline_changes_nothing_and_is_told() -> None:
    result = assessed(seen(), unusual=(fact(reliable=False, deviation=9),))

    assert result.risk_score == score(seen())
    assert "37 appearances on record of 100 needed" in result.reasoning
    assert "unusual" not in result.summary


def test_a_second_class_adds_a_little() -> None:
    alone = score(seen("person"))

    assert alone < score(seen("person"), seen("car")) <= alone + 10


def test_many_pictures_of_one_person_score_like_one_person() -> None:
    standing = [("person", 0.9, float(second)) for second in range(0, 60, 2)]

    assert score(standing) == score(seen("person", seconds=58))


def test_spelling_of_a_class_makes_no_difference() -> None:
    assert score(seen("Person")) == score(seen("person"))


def test_the_hour_is_that_of_the_house() -> None:
    utc_noon = assess(scene(seen(), NOON), CONFIG)
    honolulu = assess(scene(seen(), NOON, timezone="Pacific/Honolulu"), CONFIG)

    assert honolulu.risk_score > utc_noon.risk_score + 25
    assert honolulu.summary == "A person at Front Door at 02:00"


def test_the_same_batch_always_gets_the_same_assessment() -> None:
    evidence = scene([*seen("person", seconds=20), *seen("dog"), *seen("car")], NIGHT)
    shuffled = evidence.model_copy(update={"detections": evidence.detections[::-1]})

    assert assess(evidence, CONFIG) == assess(shuffled, CONFIG)


def test_scores_of_different_scenes_do_not_bunch() -> None:
    scores = [
        score(seen(object_type, confidence, number, seconds), at=datetime(2025, 6, 3, hour, 17, tzinfo=NOON.tzinfo))
        for object_type in ("person", "car", "dog", "package")
        for confidence in (0.55, 0.7, 0.93)
        for number in (1, 2, 3)
        for seconds in (0, 12, 60)
        for hour in (2, 6, 12, 20, 21)
    ]
    most_common = max(scores.count(value) for value in set(scores))

    assert len(set(scores)) >= 60
    assert most_common < len(scores) / 10


def test_it_says_who_assessed_and_how_final_that_is() -> None:
    result = assess(scene(seen()), CONFIG, AssessmentStanding.PROVISIONAL)

    assert result.assessed_by == "deterministic"
    assert result.standing is AssessmentStanding.PROVISIONAL
    assert assessed(seen()).standing is AssessmentStanding.FINAL


def test_the_summary_tells_who_where_how_long_when_and_whether_it_is_unusual() -> None:
    at = NIGHT + timedelta(minutes=13)

    assert assessed(seen(seconds=42), at=at, unusual=(fact(),)).summary == (
        "A person at Front Door for 42 s at 02:13, unusual for this hour"
    )


def test_the_summary_lists_every_class_with_its_number() -> None:
    result = assessed(seen("person", number=2), seen("car", number=3), seen("knife"), seen("bus", number=2))

    assert result.summary == "A knife, 2 people, 3 cars and 2 buses at Front Door at 12:00"


def test_the_summary_stays_short_with_many_classes() -> None:
    result = assessed(*(seen(f"thing {number}") for number in range(80)))

    assert result.summary == "A thing 0, a thing 1, a thing 10 and 77 other kinds of object at Front Door at 12:00"


def test_the_reasoning_lists_every_factor_in_plain_english() -> None:
    result = assessed(seen(seconds=42), at=NIGHT + timedelta(minutes=13))

    assert result.reasoning == (
        "74 of 100 by fixed rules: +34 a person was seen; +30 it is night (02:13); +13 in view over 42 s; "
        "-3 the detector was 90% sure."
    )


def test_a_cameras_name_cannot_smuggle_lines_controls_or_a_novel_into_the_text() -> None:
    evidence = scene(seen(), camera_name="Gate\r\nBcc: x@y\x00\x1b[31m\u202e" + "x" * 500)
    summary = assess(evidence, CONFIG).summary

    assert summary.isprintable()
    assert len(summary) < 130


def test_a_class_without_a_readable_name_is_still_told_of() -> None:
    assert assessed(seen("\x00\n")).summary == "An unnamed object at Front Door at 12:00"


def test_a_batch_in_which_nothing_is_left_scores_nothing() -> None:
    result = assess(scene([]), CONFIG)

    assert result.risk_score == 0
    assert result.summary == "Nothing recognised at Front Door at 12:00"
    assert result.factors == ()
