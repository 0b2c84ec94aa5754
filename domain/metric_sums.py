"""Sums of what several processes have counted: pure, so that every scrape and every replica comes to the same.

Counters and histograms are added by name and labels. Histograms with different bounds keep those they share, where
both are exact. Gauges are not for adding up and are left out: what is true now is asked of the rows.
"""

from collections.abc import Iterable, Sequence

from schemas.metric import MetricFamily, MetricKind, Series

_Key = tuple[str, MetricKind, tuple[str, ...]]


def summed(snapshots: Iterable[Sequence[MetricFamily]]) -> tuple[MetricFamily, ...]:
    """One family for each name, kind and set of labels, in the order of their names."""
    sums: dict[_Key, MetricFamily] = {}
    for families in snapshots:
        for family in families:
            if family.kind is MetricKind.GAUGE:
                continue
            key = (family.name, family.kind, family.labels)
            sums[key] = _added(sums[key], family, 1.0) if key in sums else family
    return tuple(sums[key] for key in sorted(sums))


def since(now: Sequence[MetricFamily], base: Sequence[MetricFamily]) -> tuple[MetricFamily, ...]:
    """What was counted after `base`: for a process whose earlier figures are already in somebody else's sums."""
    before = {(family.name, family.kind, family.labels): family for family in base}
    return tuple(
        _added(family, before[key], -1.0) if (key := (family.name, family.kind, family.labels)) in before else family
        for family in now
    )


def _added(one: MetricFamily, other: MetricFamily, sign: float) -> MetricFamily:
    bounds = tuple(bound for bound in one.bounds if bound in other.bounds)
    series = dict(_on(one, bounds))
    for labels, values in _on(other, bounds):
        mine = series.get(labels, (0.0,) * len(values))
        series[labels] = tuple(a + sign * b for a, b in zip(mine, values, strict=True))
    return one.model_copy(update={"bounds": bounds, "series": tuple(sorted(series.items()))})


def _on(family: MetricFamily, bounds: tuple[float, ...]) -> Iterable[Series]:
    """The series with those buckets only; cumulative ones stay exact when others are left out."""
    if bounds == family.bounds:
        return family.series
    kept = [family.bounds.index(bound) for bound in bounds] + [len(family.bounds), len(family.bounds) + 1]
    return [(labels, tuple(values[place] for place in kept)) for labels, values in family.series]
