"""The judgement harness: the same scenes from the same seed, right statistics, and a page that says what is so."""

import asyncio
import json
import math
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.assessors import DeterministicAssessor
from bench.judgement.__main__ import main
from bench.judgement.assessors import Judged, NoServer, assessor_named, judged
from bench.judgement.figures import half_figures, kind_figures, threshold
from bench.judgement.page import page
from bench.judgement.scenes import CONFIG, Half, Scene, scene, scenes
from bench.judgement.statistics import area, auroc, wilson
from bench.judgement.taxonomy import INCIDENTS, KINDS, ROUTINE
from domain.labels import normalised
from domain.risk import assess
from schemas.severity import Severity
from settings import load_settings
from tests.language.chat_sink import chat, models
from tests.notify.http_sink import Answer, HttpSink

PAGE = Path(__file__).parents[2] / "docs" / "judgement.md"


@pytest.fixture(scope="module")
def tuning() -> tuple[Scene, ...]:
    return scenes(Half.TUNING)


@pytest.fixture(scope="module")
def held_out() -> tuple[Scene, ...]:
    return scenes(Half.HELD_OUT)


@pytest.fixture(scope="module")
def results(tuning: tuple[Scene, ...], held_out: tuple[Scene, ...]) -> tuple[Judged, ...]:
    return asyncio.run(judged(DeterministicAssessor(), (*tuning, *held_out)))


def test_the_same_seed_makes_the_same_scenes(tuning: tuple[Scene, ...]) -> None:
    assert [scene(one.kind, one.half, one.number) for one in tuning[::9]] == list(tuning[::9])


def test_another_seed_makes_others(tuning: tuple[Scene, ...]) -> None:
    assert scene(tuning[0].kind, Half.TUNING, 0, seed=1) != tuning[0]


def test_both_halves_hold_every_kind_as_often_as_the_taxonomy_says_and_no_scene_twice(
    tuning: tuple[Scene, ...], held_out: tuple[Scene, ...]
) -> None:
    expected = {kind.name: kind.count for kind in KINDS}

    assert Counter(one.kind.name for one in tuning) == Counter(one.kind.name for one in held_out) == expected
    assert len({one.evidence.model_dump_json() for one in (*tuning, *held_out)}) == len(tuning) + len(held_out) >= 400


def test_the_taxonomy_labels_every_incident_with_a_floor_above_low_and_routine_with_none() -> None:
    assert all(kind.floor in (Severity.MEDIUM, Severity.HIGH) for kind in INCIDENTS)
    assert all(kind.floor is None for kind in ROUTINE)
    assert len({kind.name for kind in KINDS}) == len(KINDS)


def test_no_class_of_object_tells_incidents_from_routine(
    tuning: tuple[Scene, ...], held_out: tuple[Scene, ...]
) -> None:
    classes = {side: set[str]() for side in (True, False)}
    for one in (*tuning, *held_out):
        classes[one.kind.incident] |= {detection.object_type for detection in one.evidence.detections}

    assert {"person", "car", "dog", "knife", "fire", "smoke", "package", "bicycle", "bear"} <= classes[True] & classes[
        False
    ]


def test_a_scene_is_a_batch_as_the_system_makes_them(tuning: tuple[Scene, ...]) -> None:
    for one in tuning:
        evidence = one.evidence
        times = [detection.detected_at for detection in evidence.detections]
        assert times
        assert min(times) == evidence.batch.started_at
        assert max(times) == evidence.batch.ended_at
        assert (evidence.batch.ended_at - evidence.batch.started_at).total_seconds() <= 90
        assert all(d.confidence >= CONFIG.detection_confidence_threshold for d in evidence.detections)
        assert {normalised(fact.object_type) for fact in evidence.unusual} == {
            normalised(d.object_type) for d in evidence.detections
        }
        assert all(earlier.started_at < evidence.batch.started_at for earlier in evidence.recent)


def test_boxes_lie_in_the_picture(tuning: tuple[Scene, ...]) -> None:
    for detection in (d for one in tuning for d in one.evidence.detections):
        width, height = detection.picture_width, detection.picture_height
        if width and height:
            assert detection.bbox.x >= 0 <= detection.bbox.y
            assert detection.bbox.x + detection.bbox.width <= width + 1
            assert detection.bbox.y + detection.bbox.height <= height + 1


def test_some_cameras_have_no_history_yet_and_some_households_no_quiet_hours(tuning: tuple[Scene, ...]) -> None:
    reliable = Counter(all(fact.reliable for fact in one.evidence.unusual) for one in tuning)
    quiet = Counter(one.evidence.quiet_hours for one in tuning)

    assert 0.1 < reliable[False] / len(tuning) < 0.5
    assert 0.05 < quiet[True] / len(tuning) < 0.5


def test_the_score_comes_from_the_evidence_alone(tuning: tuple[Scene, ...], results: tuple[Judged, ...]) -> None:
    assert [assess(one.evidence, CONFIG).risk_score for one in tuning] == [one.score for one in results[: len(tuning)]]


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    # Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998), table I.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilsons_interval_is_the_published_one(hits: int, count: int, low: float, high: float) -> None:
    share = wilson(hits, count)

    assert (round(share.low, 4), round(share.high, 4)) == (low, high)
    assert share.value == hits / count


@given(st.integers(1, 500).flatmap(lambda count: st.tuples(st.integers(0, count), st.just(count))))
def test_wilsons_interval_holds_the_share_and_stays_a_share(of: tuple[int, int]) -> None:
    share = wilson(*of)

    assert 0 <= share.low <= share.value <= share.high <= 1


@pytest.mark.parametrize("of", [(0, 0), (-1, 3), (4, 3)])
def test_what_is_no_share_is_refused(of: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="is no share"):
        wilson(*of)


scores = st.lists(st.integers(0, 100), min_size=1, max_size=40)


@given(scores, scores)
def test_the_area_is_the_share_of_pairs_that_are_in_order(incidents: list[int], routine: list[int]) -> None:
    pairs = [(one > other) + (one == other) / 2 for one in incidents for other in routine]

    assert math.isclose(auroc(incidents, routine), sum(pairs) / len(pairs))


def test_an_area_needs_both_sides() -> None:
    with pytest.raises(ValueError, match="needs incidents and routine"):
        auroc([], [1])


def test_the_bootstrapped_interval_is_the_same_each_time_and_holds_the_area() -> None:
    rng = random.Random(3)
    incidents, routine = [rng.gauss(60, 20) for _ in range(80)], [rng.gauss(40, 20) for _ in range(120)]
    found = area(incidents, routine)

    assert found == area(incidents, routine)
    assert found.low < found.value < found.high
    # Hanley and McNeil's standard error for such an area and such numbers is 0.034.
    assert 0.09 < found.high - found.low < 0.18


def test_recall_counts_each_incident_at_its_own_floor_and_an_alarm_is_high_or_more(
    tuning: tuple[Scene, ...],
) -> None:
    def figures(score: int) -> tuple[float, float, float]:
        found = half_figures([Judged(one, score, True, None) for one in tuning], at=50)
        return found.recall.value, found.false_alarms.value, found.grave_recall.value

    high = [one for one in tuning if one.kind.floor is Severity.HIGH]
    incidents = [one for one in tuning if one.kind.incident]
    assert figures(29) == (0.0, 0.0, 0.0)
    assert figures(30) == figures(59) == (1 - len(high) / len(incidents), 0.0, 0.0)
    assert figures(60) == figures(100) == (1.0, 1.0, 1.0)


def test_the_one_threshold_lets_a_tenth_of_routine_pass_at_most(results: tuple[Judged, ...]) -> None:
    tuned = [one for one in results if one.scene.half is Half.TUNING]
    at = threshold(tuned)
    routine = [one.score for one in tuned if not one.scene.kind.incident]

    assert sum(score >= at for score in routine) <= 0.1 * len(routine) < sum(score >= at - 1 for score in routine)


def test_every_kind_has_its_figures(results: tuple[Judged, ...]) -> None:
    assert [one.kind for one in kind_figures(results)] == list(KINDS)


def test_the_committed_page_is_what_the_code_gives_now(results: tuple[Judged, ...]) -> None:
    assert page(results, "deterministic") == PAGE.read_text(encoding="utf-8"), "run make judge"


def test_the_aim_is_met_on_the_half_that_was_not_tuned_on(results: tuple[Judged, ...]) -> None:
    found = half_figures([one for one in results if one.scene.half is Half.HELD_OUT], at=60)

    assert found.recall.value >= 0.8
    assert found.false_alarms.value <= 0.1


async def says_91(sink: HttpSink, writer: asyncio.StreamWriter) -> None:
    """Answers the case that it was asked, as a model does that takes everything for a crime."""
    schema = sink.received[-1].json["response_format"]["json_schema"]["schema"]
    said = {
        "case": schema["properties"]["case"]["enum"][0],
        "reasoning": ["It looks bad."],
        "summary": "Somebody does something.",
        "signs": ["loitering"],
        "risk": {"level": "critical", "score": 91},
    }
    await chat(json.dumps(said))(sink, writer)


def both_sides(tuning: Sequence[Scene]) -> list[Scene]:
    return [*tuning[:2], *[one for one in tuning if one.kind.floor is Severity.HIGH][:2]]


async def by_a_server(found: Sequence[Scene], *answers: Answer) -> tuple[tuple[Judged, ...], str]:
    async with HttpSink(models("nemotron"), *answers) as sink:
        settings = load_settings({"NEMOTRON_URL": f"http://127.0.0.1:{sink.port}", "NEMOTRON_MAX_IN_FLIGHT": "1"})
        async with assessor_named("url", settings) as (assessor, name, at_once):
            return await judged(assessor, found, at_once), name


async def test_a_model_behind_an_address_is_judged_by_its_own_scores(tuning: tuple[Scene, ...]) -> None:
    results, name = await by_a_server(both_sides(tuning), says_91)

    assert [(one.score, one.answered) for one in results] == [(91, True)] * 4
    assert name == "nemotron"
    assert "4 of 4 scenes were answered by the model" in page(results, name)


async def test_where_a_model_gives_no_answer_the_provisional_score_counts_and_is_told(
    tuning: tuple[Scene, ...],
) -> None:
    found = both_sides(tuning)
    results, name = await by_a_server(found, chat("no JSON"))

    assert [one.score for one in results] == [assess(one.evidence, CONFIG).risk_score for one in found]
    assert all(not one.answered and "no usable answer" in (one.because or "") for one in results)
    assert "0 of 4 scenes were answered by the model" in page(results, name)


async def test_without_an_address_no_model_can_be_asked() -> None:
    with pytest.raises(NoServer, match="NEMOTRON_URL is not set"):
        async with assessor_named("url", load_settings({})):
            pass


def test_the_command_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("NEMOTRON_URL", raising=False)

    assert main(["--assessor", "url", "--each", "1"]) == 1
    assert "NEMOTRON_URL is not set" in capsys.readouterr().err


def test_the_command_writes_a_page_and_every_score(tmp_path: Path) -> None:
    file, scored = tmp_path / "page.md", tmp_path / "scores.json"

    assert main(["--half", "tuning", "--each", "1", "--write", str(file), "--json", str(scored)]) == 0
    assert file.read_text(encoding="utf-8").startswith("# How well the deterministic assessor judges")
    assert scored.read_text(encoding="utf-8").count('"kind"') == len(KINDS)


def test_a_number_of_scenes_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--each", "0"])
    assert "is no number of scenes" in capsys.readouterr().err
