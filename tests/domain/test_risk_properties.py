"""What holds of the deterministic score for every batch."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.risk_weights import night_share
from schemas.assessment import Unusualness
from tests.domain.batch_scenes import NIGHT, NOON, assessed, fact, score

Things = list[tuple[str, float, float]]

classes = st.sampled_from(["person", "car", "dog", "package", "knife", "bird", "unheard_of"])
confidences = st.floats(0, 1)
things = st.lists(
    st.tuples(classes, confidences, st.sampled_from([0.0, 1.5, 10.0, 42.0, 89.0])), min_size=1, max_size=8
)
moments = st.integers(0, 24 * 60 - 1).map(lambda minute: NOON.replace(hour=0) + timedelta(minutes=minute))
facts = st.lists(
    st.builds(fact, classes, st.floats(0, 20), st.floats(-5, 20), st.booleans()),
    max_size=4,
    unique_by=lambda one: one.object_type,
).map(tuple)


@given(things, moments, facts)
def test_whole_factors_add_up_to_the_score_exactly(
    seen: Things, at: datetime, unusual: tuple[Unusualness, ...]
) -> None:
    result = assessed(seen, at=at, unusual=unusual)

    assert sum(factor.points for factor in result.factors) == result.risk_score
    assert all(factor.points == int(factor.points) != 0 for factor in result.factors)
    assert all(factor.because in result.reasoning for factor in result.factors)
    assert result.summary.isprintable()


@given(things, moments, facts, st.data())
def test_more_confidence_never_lowers_the_score(
    seen: Things, at: datetime, unusual: tuple[Unusualness, ...], data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(seen) - 1))
    object_type, confidence, second = seen[index]
    surer = [*seen[:index], (object_type, data.draw(st.floats(confidence, 1)), second), *seen[index + 1 :]]

    assert score(surer, at=at, unusual=unusual) >= score(seen, at=at, unusual=unusual)


@given(things, moments, facts, classes, confidences, st.floats(0, 120))
def test_another_detection_never_lowers_the_score_be_it_of_a_longer_stay_or_of_one_more(
    seen: Things,
    at: datetime,
    unusual: tuple[Unusualness, ...],
    object_type: str,
    confidence: float,
    second: float,
) -> None:
    known = {name for name, _, _ in seen}
    judged = tuple(one for one in unusual if one.object_type in known)
    more = [*seen, (object_type, confidence, second)]

    assert score(more, at=at, unusual=judged) >= score(seen, at=at, unusual=judged)


@given(things, moments, facts)
def test_no_hour_scores_more_than_the_middle_of_the_night_or_less_than_noon(
    seen: Things, at: datetime, unusual: tuple[Unusualness, ...]
) -> None:
    assert (
        score(seen, at=NOON, unusual=unusual)
        <= score(seen, at=at, unusual=unusual)
        <= score(seen, at=NIGHT, unusual=unusual)
    )


@given(moments)
def test_night_comes_and_goes_without_a_jump(at: datetime) -> None:
    before, after = night_share(at.time()), night_share((at + timedelta(minutes=1)).time())

    assert 0 <= before <= 1
    assert abs(after - before) < 0.01
