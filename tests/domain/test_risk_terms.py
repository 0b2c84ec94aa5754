"""What distance, quiet hours, earlier events and things to carry off do to the deterministic score."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.risk import assess
from schemas.assessment import Assessment, Evidence, RecentEvent
from schemas.detection import BoundingBox
from schemas.runtime_config import RuntimeConfig
from tests.domain.batch_scenes import NIGHT, NOON, fact, scene, seen

CONFIG = RuntimeConfig()

Boxes = list[tuple[str, float, float, int]]

boxes = st.lists(
    st.tuples(
        st.sampled_from(["person", "car", "dog", "package", "knife"]),
        st.floats(0, 1),
        st.sampled_from([0.0, 7.0, 42.0, 89.0]),
        st.integers(0, 720),
    ),
    min_size=1,
    max_size=6,
)
moments = st.integers(0, 24 * 60 - 1).map(lambda minute: NOON.replace(hour=0) + timedelta(minutes=minute))


def tall(found: Boxes, at: datetime = NIGHT, recent: tuple[RecentEvent, ...] = (), quiet: bool = False) -> Evidence:
    """(class, confidence, seconds, height in pixels of 720) of each detection."""
    evidence = scene([(name, confidence, second) for name, confidence, second, _ in found], at)
    sized = tuple(
        one.model_copy(
            update={
                "bbox": BoundingBox(x=1, y=2, width=3, height=height),
                "picture_width": 1280,
                "picture_height": 720,
            }
        )
        for one, (*_, height) in zip(evidence.detections, found, strict=True)
    )
    return evidence.model_copy(update={"detections": sized, "recent": recent, "quiet_hours": quiet})


def before(minutes: float, camera: str = "front_door", *object_types: str, at: datetime = NIGHT) -> RecentEvent:
    return RecentEvent(
        event_id=1,
        camera_id=camera,
        camera_name=camera,
        started_at=at - timedelta(minutes=minutes),
        risk_score=40,
        object_types=object_types or ("person",),
    )


def judged(evidence: Evidence) -> Assessment:
    return assess(evidence, CONFIG)


def names(assessment: Assessment) -> set[str]:
    return {factor.name for factor in assessment.factors}


def test_a_person_far_off_at_night_is_no_alarm_and_one_close_by_is() -> None:
    far, close = (judged(tall([("person", 0.9, 0.0, height)])) for height in (80, 400))

    assert far.risk_score <= CONFIG.severity.medium_max < close.risk_score
    assert "far off: 11% of the picture's height at most" in far.reasoning
    assert "distance" not in names(close)


def test_the_tallest_box_decides_how_far_off_one_is() -> None:
    came_closer = judged(tall([("person", 0.9, 0.0, 60), ("person", 0.9, 20.0, 300)]))

    assert "distance" not in names(came_closer)


def test_without_the_pictures_size_nobody_is_called_far_off() -> None:
    assert "distance" not in names(judged(scene(seen(), NIGHT)))


@pytest.mark.parametrize("height", [float("nan"), float("inf")])
def test_a_box_that_is_no_number_is_not_called_far_off(height: float) -> None:
    evidence = tall([("person", 0.9, 0.0, 300)])
    broken = evidence.detections[0].model_copy(update={"bbox": BoundingBox(x=1, y=1, width=1, height=height)})

    assert "distance" not in names(judged(evidence.model_copy(update={"detections": (broken,)})))


@pytest.mark.parametrize("object_type", ["dog", "fire", "car"])
def test_what_is_small_or_dangerous_anywhere_is_not_called_far_off(object_type: str) -> None:
    assert "distance" not in names(judged(tall([(object_type, 0.9, 0.0, 20)])))


def test_quiet_hours_add_a_little_and_say_so() -> None:
    plain, quiet = judged(scene(seen(), NIGHT)), judged(scene(seen(), NIGHT).model_copy(update={"quiet_hours": True}))

    assert plain.risk_score < quiet.risk_score <= plain.risk_score + 5
    assert "the household wants quiet now" in quiet.reasoning


def test_who_comes_back_at_night_scores_more_each_time() -> None:
    visits = tuple(before(minutes) for minutes in (2, 6, 9, 15, 20))
    scores = [judged(scene(seen(), NIGHT).model_copy(update={"recent": visits[:n]})).risk_score for n in range(6)]

    assert scores[:4] == sorted(set(scores[:4]))
    assert scores[3] == scores[4] == scores[5]


def test_it_says_how_often_and_at_how_many_cameras() -> None:
    recent = (before(3), before(5, "side_gate"), before(7, "backyard"), before(8, "backyard"))
    reasoning = judged(scene(seen(), NIGHT).model_copy(update={"recent": recent})).reasoning

    assert "the same class was in 1 more event here within 30 min before" in reasoning
    assert "the same class was at 2 other cameras within 10 min before" in reasoning


def test_one_other_camera_is_the_way_home_and_two_are_a_round() -> None:
    night = scene(seen(), NIGHT)
    one, two = (
        night.model_copy(update={"recent": found}) for found in ((before(3, "a"),), (before(3, "a"), before(4, "b")))
    )

    assert judged(night) == judged(one)
    assert judged(two).risk_score > judged(one).risk_score


@pytest.mark.parametrize(
    "earlier",
    [before(31), before(11, "backyard"), before(-1), before(3, "front_door", "cat"), before(3, "backyard", "car")],
    ids=["long ago here", "long ago elsewhere", "later", "another class here", "another class elsewhere"],
)
def test_earlier_events_that_have_nothing_to_do_with_it_count_nothing(earlier: RecentEvent) -> None:
    assert judged(scene(seen(), NIGHT).model_copy(update={"recent": (earlier,)})) == judged(scene(seen(), NIGHT))


def test_by_day_coming_back_counts_nothing() -> None:
    recent = (before(3, at=NOON), before(4, "backyard", at=NOON))

    assert judged(scene(seen(), NOON).model_copy(update={"recent": recent})) == judged(scene(seen(), NOON))


def test_spelling_of_an_earlier_class_makes_no_difference() -> None:
    evidence = scene(seen(), NIGHT)
    spelled, plain = (
        evidence.model_copy(update={"recent": (before(3, "front_door", word),)}) for word in ("Person", "person")
    )

    assert judged(spelled) == judged(plain) != judged(evidence)


def test_somebody_beside_a_package_is_worth_reviewing_by_day_and_neither_alone_adds_it() -> None:
    together = judged(scene([*seen("person", 0.55), *seen("package", 0.55)]))

    assert CONFIG.severity.low_max < together.risk_score <= CONFIG.severity.medium_max
    assert "somebody and a package, which can be carried off" in together.reasoning
    assert "beside" not in names(judged(scene(seen("package")))) | names(judged(scene(seen("person"))))


def test_several_people_by_day_count_less_than_at_night() -> None:
    by_day = judged(scene(seen(number=3), NOON)).risk_score - judged(scene(seen(), NOON)).risk_score
    at_night = judged(scene(seen(number=3), NIGHT)).risk_score - judged(scene(seen(), NIGHT)).risk_score

    assert 0 < by_day < at_night


def test_a_pack_of_dogs_is_worth_reviewing_and_one_dog_is_not() -> None:
    assert judged(scene(seen("dog"))).risk_score <= CONFIG.severity.low_max
    assert judged(scene(seen("dog", number=4))).risk_score > CONFIG.severity.low_max


def test_a_bear_is_high() -> None:
    assert judged(scene(seen("bear", 0.8))).risk_score > CONFIG.severity.medium_max


@given(boxes, moments, st.booleans(), st.data())
def test_one_more_box_never_lowers_the_score_however_small_it_is(
    found: Boxes, at: datetime, quiet: bool, data: st.DataObject
) -> None:
    recent = (before(4, at=at), before(6, "backyard", "person", "dog", at=at))
    more = [*found, *data.draw(boxes)]

    assert judged(tall(more, at, recent, quiet)).risk_score >= judged(tall(found, at, recent, quiet)).risk_score


@given(boxes, moments, st.booleans())
def test_with_sizes_and_earlier_events_factors_still_add_up_exactly(found: Boxes, at: datetime, quiet: bool) -> None:
    facts = (fact("person", 0.4, 0.9), fact("dog"))
    result = judged(tall(found, at, (before(4, at=at),), quiet).model_copy(update={"unusual": facts}))

    assert sum(factor.points for factor in result.factors) == result.risk_score
    assert all(factor.points == int(factor.points) != 0 and factor.because for factor in result.factors)


@given(boxes, moments)
def test_earlier_events_and_quiet_hours_never_lower_the_score(found: Boxes, at: datetime) -> None:
    recent = (before(4, at=at), before(6, "backyard", at=at))

    assert judged(tall(found, at, recent, True)).risk_score >= judged(tall(found, at)).risk_score
