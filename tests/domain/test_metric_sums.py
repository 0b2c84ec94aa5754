"""Sums over processes: exact, independent of order, and what has been summed can be taken off again."""

from hypothesis import given
from hypothesis import strategies as st

from domain.metric_sums import since, summed
from schemas.metric import MetricFamily, MetricKind, Series


def counter(name: str, *series: Series, labels: tuple[str, ...] = ("kind",)) -> MetricFamily:
    return MetricFamily(name=name, kind=MetricKind.COUNTER, help="h", labels=labels, series=series)


def histogram(bounds: tuple[float, ...], *figures: float) -> MetricFamily:
    return MetricFamily(name="h", kind=MetricKind.HISTOGRAM, help="h", bounds=bounds, series=(((), figures),))


def test_counters_add_up_by_name_and_labels() -> None:
    one = counter("a_total", (("x",), (1.0,)), (("y",), (2.0,)))
    other = counter("a_total", (("y",), (3.0,)), (("z",), (4.0,)))
    assert summed([[one], [other]]) == (counter("a_total", (("x",), (1.0,)), (("y",), (5.0,)), (("z",), (4.0,))),)


def test_histograms_add_up_bucket_by_bucket() -> None:
    assert summed([[histogram((1.0, 2.0), 1, 2, 3, 4.5)], [histogram((1.0, 2.0), 10, 20, 30, 45)]]) == (
        histogram((1.0, 2.0), 11, 22, 33, 49.5),
    )


def test_histograms_with_other_bounds_keep_those_they_share() -> None:
    old, new = histogram((0.1, 1.0, 5.0), 1, 2, 3, 4, 9.0), histogram((1.0, 2.0, 5.0), 10, 20, 30, 40, 90.0)
    assert summed([[old], [new]]) == (histogram((1.0, 5.0), 12, 33, 44, 99.0),)


def test_one_name_with_other_labels_stays_apart() -> None:
    plain = counter("a_total", ((), (1.0,)), labels=())
    assert summed([[counter("a_total", (("x",), (1.0,)))], [plain]]) == (plain, counter("a_total", (("x",), (1.0,))))


def test_gauges_are_not_added_up() -> None:
    assert summed([[MetricFamily(name="g", kind=MetricKind.GAUGE, help="h", series=(((), (1.0,)),))]]) == ()


def test_nothing_sums_to_nothing() -> None:
    assert summed([]) == summed([[], []]) == ()


def test_since_leaves_what_came_after() -> None:
    before, now = counter("a_total", (("x",), (2.0,))), counter("a_total", (("x",), (5.0,)), (("y",), (1.0,)))
    assert since([now], [before]) == (counter("a_total", (("x",), (3.0,)), (("y",), (1.0,))),)
    assert since([now], []) == (now,)


figures = st.dictionaries(st.sampled_from("xyz"), st.integers(0, 10**6), max_size=3)


@given(st.lists(figures, max_size=6), st.randoms())
def test_the_sum_is_the_same_in_any_order_and_in_any_grouping(processes: list[dict[str, int]], random: object) -> None:
    snapshots = [
        [counter("a_total", *sorted(((key,), (float(value),)) for key, value in process.items()))]
        for process in processes
    ]
    whole = summed(snapshots)
    assert summed(reversed(snapshots)) == whole
    assert summed([summed(snapshots[:2]), *snapshots[2:]]) == whole


@given(figures, figures)
def test_what_a_retired_part_and_the_rest_hold_is_the_whole(early: dict[str, int], more: dict[str, int]) -> None:
    def family(values: dict[str, int]) -> list[MetricFamily]:
        return [counter("a_total", *sorted(((key,), (float(value),)) for key, value in values.items()))]

    late = {key: early.get(key, 0) + more.get(key, 0) for key in {*early, *more}}
    assert summed([family(early), since(family(late), family(early))]) == tuple(family(late))
