"""The page docs/judgement.md: the same figures on every machine, since nothing but the seed and the code goes in."""

from collections.abc import Callable, Sequence

from bench.judgement.assessors import Judged
from bench.judgement.figures import HalfFigures, KindFigures, half_figures, kind_figures, of_half, threshold
from bench.judgement.kinds import Kind
from bench.judgement.scenes import SEED, Half
from bench.judgement.statistics import Area, Share
from bench.judgement.taxonomy import KINDS

_TITLES = {Half.TUNING: "tuning half", Half.HELD_OUT: "held-out half"}
_DETERMINISTIC = """\
The weights were set on tuning scenes alone. A first set, half as large, was drawn with another seed: there the rules
went from 0.83 recalled at 0.18 false alarms to 0.87 at 0.08 on its tuning half, and one look at its held-out half gave
0.84 at 0.11. That set was given up, this one drawn, its tuning half tuned on, and its held-out half looked at once,
after the last change of a weight."""
_WHAT_IS_WRONG = """\
What the fixed rules cannot see: what somebody wants. A child alone at the pool is a person by day, a break-in by day is
somebody at a door, and whoever comes home after midnight is somebody at night. Those are the rows to read first."""


def page(judged: Sequence[Judged], assessor: str) -> str:
    """Of one assessor; a half without scenes is left out."""
    halves = {half: of_half(judged, half) for half in Half}
    halves = {half: found for half, found in halves.items() if found}
    at = threshold(halves[Half.TUNING]) if Half.TUNING in halves else 60
    answered = sum(one.answered for one in judged)
    fixed = assessor == "deterministic"
    parts = [
        f"# How well the {'deterministic assessor' if fixed else f'assessor {_safe(assessor)}'} judges",
        _what_this_is(),
        _DETERMINISTIC
        if fixed
        else f"{answered} of {len(judged)} scenes were answered by the model; the others have "
        "the fixed rules' provisional score.",
        "## In all",
        _in_all({half: half_figures(found, at) for half, found in halves.items()}, at),
        "## Incidents by kind",
        "`recalled` is the share that reached the floor, `area` the one under the ROC curve against all routine.",
        _by_kind(halves, True),
        "## Routine by kind",
        "`alarms` is the share at high or critical, `area` the one under the ROC curve against all incidents.",
        _by_kind(halves, False),
        *([_WHAT_IS_WRONG] if fixed else []),
        "## The taxonomy",
        _taxonomy(KINDS),
    ]
    return "\n\n".join(parts) + "\n"


def _what_this_is() -> str:
    return f"""\
Made by `make judge` (`python -m bench.judgement --write docs/judgement.md`), seed {SEED}: do not edit. **These figures
say how an assessor judges made-up scenes, drawn by a script from the taxonomy below with an imperfect detector in
between; they are no measurement of real cameras, homes or burglars, and a house has far more routine than this set.**

An alarm is the level high or critical (60 and more, by the default bands). A false alarm is routine at that level. An
incident counts as recalled when it reaches its own floor, high or medium. Shares have Wilson's 95 % intervals, areas
the 2.5th and 97.5th percentile of 1,000 bootstrap draws with a fixed seed.

Routine and incidents overlap as they do before a camera, and no class of object belongs to one side: who comes home at
night walks like a prowler, who takes a package in looks like who steals one, children play as long as somebody loiters,
a garden tool may be taken for a knife, a barbecue for a fire, a dog for a bear. The detector overlooks, confuses and
invents. Baselines, quiet hours and earlier events are drawn from the camera, the hour and the household's habits, not
from the label alone; one household in four is new."""


def _in_all(figures: dict[Half, HalfFigures], at: int) -> str:
    rows: list[tuple[str, Callable[[HalfFigures], str]]] = [
        ("incidents, routine", lambda one: f"{one.incidents}, {one.routine}"),
        ("**incidents at or above their floor** (aim 0.8)", lambda one: f"**{share(one.recall)}**"),
        ("**false alarms: routine at high or critical** (aim 0.1)", lambda one: f"**{share(one.false_alarms)}**"),
        ("incidents with the floor high, at high or critical", lambda one: share(one.grave_recall)),
        ("incidents at medium or above, whatever their floor", lambda one: share(one.recall_at_medium)),
        ("routine at medium or above", lambda one: share(one.routine_at_medium)),
        (f"all incidents at {at} or more", lambda one: share(one.recall_at_threshold)),
        (f"routine at {at} or more", lambda one: share(one.false_alarms_at_threshold)),
        ("area under the ROC curve", lambda one: _area(one.area)),
    ]
    lines = [_row(["", *(_TITLES[half] for half in figures)]), _rule(len(figures))]
    lines += [_row([name, *(of(one) for one in figures.values())]) for name, of in rows]
    note = f"{at} is the lowest score that at most a tenth of the tuning half's routine reach: one threshold for all."
    note += "\nBy the default filters a household is told of medium too, and medium is where people by day belong."
    return "\n".join(lines) + "\n\n" + note


def _by_kind(halves: dict[Half, list[Judged]], incidents: bool) -> str:
    by_half = {half: {one.kind.name: one for one in kind_figures(found)} for half, found in halves.items()}
    word = "recalled" if incidents else "alarms"
    heads = [f"{word}, {_TITLES[half]}" for half in halves] + [f"area, {_TITLES[half]}" for half in halves]
    heads += [f"median, {_TITLES[half]}" for half in halves]
    lines = [_row(["kind", *(["floor"] if incidents else []), *heads]), _rule(len(heads) + incidents)]
    for kind in KINDS:
        found = [figures[kind.name] for figures in by_half.values() if kind.name in figures]
        if kind.incident is incidents and found:
            floor = [str(kind.floor)] if incidents else []
            cells = [share(one.reached) for one in found] + [_area(one.area) for one in found]
            lines.append(_row([kind.name, *floor, *cells, *(_median(one) for one in found)]))
    return "\n".join(lines)


def _taxonomy(kinds: Sequence[Kind]) -> str:
    lines = [_row(["kind", "floor", "what happens", "where", "when", "scenes a half"]), _rule(5)]
    for kind in kinds:
        hours = ", ".join(f"{_clock(begins)}-{_clock(ends)}" for begins, ends, _ in kind.hours)
        floor = str(kind.floor) if kind.incident else "routine"
        lines.append(_row([kind.name, floor, kind.says, ", ".join(kind.places), hours, str(kind.count)]))
    return "\n".join(lines)


def share(one: Share) -> str:
    """`0.83 (0.77-0.88)`."""
    return f"{one.value:.2f} ({one.low:.2f}-{one.high:.2f})"


def _area(one: Area) -> str:
    return f"{one.value:.2f} ({one.low:.2f}-{one.high:.2f})"


def _median(one: KindFigures) -> str:
    return str(one.scores[(len(one.scores) - 1) // 2])


def _clock(hour: float) -> str:
    minutes = round(hour * 60)
    return f"{minutes // 60 % 24 if minutes != 1440 else 24:02}:{minutes % 60:02}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _rule(figures: int) -> str:
    return "|" + "---|" * (figures + 1)


def _safe(name: str) -> str:
    """A server's word for its model, within a heading."""
    return "".join(letter for letter in name if letter.isalnum() or letter in " ._-/:")[:100] or "without a name"
