"""What is chosen of a batch to be stated in its prompt."""

import random
from datetime import UTC, datetime, time, timedelta

import pytest

from domain.prompt_facts import MOST_RECENT, MOST_TRACKS, MOST_USUAL, case_of, part_of_day, prompt_facts
from domain.quoting import quoted
from domain.risk_weights import night_share
from schemas.assessment import Evidence
from schemas.prompt_facts import Movement, PartOfDay, PromptFacts
from schemas.runtime_config import RuntimeConfig
from schemas.severity import SeverityBands
from tests.domain.injections import INJECTIONS
from tests.domain.prompt_scenes import detection, earlier, evidence, largest, pacing_at_the_door, usual

CONFIG = RuntimeConfig()


def facts_of(found: Evidence) -> PromptFacts:
    return prompt_facts(found, CONFIG)


def test_the_time_is_the_houses_with_the_weekday_in_english() -> None:
    facts = facts_of(pacing_at_the_door())

    assert (facts.local_time, facts.timezone) == ("Saturday 2026-11-21 02:13", "Europe/Berlin")
    assert facts.part_of_day is PartOfDay.NIGHT


def test_every_weekday_has_its_english_name() -> None:
    days = [facts_of(evidence([], started_at=datetime(2026, 11, 16 + n, 12, tzinfo=UTC))).local_time for n in range(7)]

    assert [day.split()[0] for day in days] == [
        *("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    ]


@pytest.mark.parametrize(("clock", "part"), [(time(2, 13), PartOfDay.NIGHT), (time(12, 0), PartOfDay.DAY)])
def test_the_part_of_the_day_goes_by_the_clock(clock: time, part: PartOfDay) -> None:
    assert part_of_day(clock) is part


@pytest.mark.parametrize("minute", range(0, 24 * 60, 7))
def test_it_is_night_or_day_just_when_the_deterministic_score_says_so(minute: int) -> None:
    clock = time(minute // 60, minute % 60)
    between = PartOfDay.EARLY_MORNING if clock.hour < 12 else PartOfDay.EVENING

    assert part_of_day(clock) is {1.0: PartOfDay.NIGHT, 0.0: PartOfDay.DAY}.get(night_share(clock), between)


def test_a_case_is_named_by_eight_digits_of_its_own() -> None:
    assert case_of("5d0c4fb1-33a5-4bd5-9d5b-0a8a2f6f7c11") == case_of("5d0c4fb1-33a5-4bd5-9d5b-0a8a2f6f7c11")
    assert len({case_of(str(number)) for number in range(500)}) == 500
    assert facts_of(evidence([])).case == "d515f45c"


def test_what_the_batch_holds_is_counted_and_timed() -> None:
    facts = facts_of(pacing_at_the_door())

    assert (facts.detection_count, facts.seconds, facts.quiet_hours) == (44, 42.0, True)
    assert [(track.object_type, track.movement) for track in facts.tracks] == [
        ("car", Movement.STILL),
        ("person", Movement.AROUND),
    ]


def test_at_most_forty_tracks_are_told_and_how_many_are_not() -> None:
    facts = facts_of(largest())

    assert (len(facts.tracks), facts.tracks_left_out) == (MOST_TRACKS, 10)


def test_people_and_weapons_are_told_before_anything_else_and_then_what_stays_long() -> None:
    parked = [detection(0, 100.0 * n, 10, 30, 30, "car", number=n) for n in range(12)]
    other = [detection(0, 100.0 * n, 80 * row, 30, 30, "bird") for row in range(2, 9) for n in range(12)]
    late = [detection(80, 900), detection(81, 40, object_type="knife"), detection(82, 600, 600, 80, 60, "dog")]
    late += [detection(83, 1000, object_type="Crowbar")]
    stays = [detection(second, 600, 600, 80, 60, "dog") for second in (60, 70)]

    facts = facts_of(evidence([*parked, *other, *late, *stays]))
    kept = [track.object_type for track in facts.tracks]

    assert {"person", "knife", "crowbar", "dog"} <= set(kept)
    assert len(kept) == MOST_TRACKS
    assert [track.first_seen_seconds for track in facts.tracks] == sorted(t.first_seen_seconds for t in facts.tracks)


def test_at_most_ten_earlier_events_are_told_the_newest_first() -> None:
    facts = facts_of(evidence([], recent=tuple(earlier(number, 100 - number) for number in range(1, 21))))

    assert [fact.event_id for fact in facts.recent] == list(range(20, 20 - MOST_RECENT, -1))
    assert facts.recent[0].minutes_before == 80


def test_an_earlier_event_says_whether_it_was_this_camera() -> None:
    recent = (earlier(2, 3), earlier(1, 4, "yard", "Yard", ("person", "Fire Hydrant")))
    here, there = facts_of(evidence([], recent=recent)).recent

    assert (here.same_camera, there.same_camera, there.camera) == (True, False, "Yard")
    assert there.object_types == ("person", "fire_hydrant")


def test_an_event_that_began_later_is_no_earlier_one() -> None:
    assert facts_of(evidence([], recent=(earlier(1, -5),))).recent == ()


def test_what_is_usual_is_told_with_its_samples_people_first() -> None:
    facts = facts_of(evidence([], unusual=(usual("car", 2.341, 0.14), usual("Person", 0.0411, 3.14, 37))))

    assert [(one.object_type, one.expected_per_hour, one.deviation) for one in facts.unusual] == [
        ("person", 0.04, 3.1),
        ("car", 2.34, 0.1),
    ]
    assert [(one.sample_count, one.reliable) for one in facts.unusual] == [(37, False), (412, True)]


def test_a_detector_with_hundreds_of_classes_fills_no_prompt() -> None:
    assert len(facts_of(evidence([], unusual=tuple(usual(f"c{n}") for n in range(300)))).unusual) == MOST_USUAL


def test_the_bands_in_force_and_the_pictures_are_kept() -> None:
    bands = SeverityBands(low_max=10, medium_max=50, high_max=90)
    facts = prompt_facts(evidence([]), RuntimeConfig(severity=bands), pictures=3)

    assert (facts.bands, facts.pictures) == (bands, 3)


def test_the_order_of_the_rows_makes_no_difference() -> None:
    found = pacing_at_the_door()
    rows = list(found.detections)
    random.Random(3).shuffle(rows)
    other = found.model_copy(
        update={"detections": tuple(rows), "recent": found.recent[::-1], "unusual": found.unusual[::-1]}
    )

    assert facts_of(other) == facts_of(found)


def test_a_batch_without_detections_has_facts_too() -> None:
    facts = facts_of(evidence([]))

    assert (facts.tracks, facts.detection_count, facts.seconds) == ((), 0, 0)


def test_a_camera_whose_name_is_nothing_but_controls_goes_by_its_id() -> None:
    assert facts_of(evidence([], camera_name="\u202e\n")).camera == "front_door"


@pytest.mark.parametrize("text", INJECTIONS)
def test_text_from_outside_is_one_bounded_line_that_any_store_can_keep(text: str) -> None:
    found = evidence(
        [detection(0, 100, object_type=text)],
        unusual=(usual(text),),
        recent=(earlier(1, 3, "x", text, (text,)),),
        camera_name=text,
    )
    facts = facts_of(found)

    texts = [facts.camera, facts.tracks[0].object_type, facts.unusual[0].object_type, facts.recent[0].camera]
    assert all(
        one and one.isprintable() and len(quoted(one).encode()) <= 50 for one in [*texts, *facts.recent[0].object_types]
    )
    assert PromptFacts.model_validate_json(facts.model_dump_json()) == facts
    assert "\\u0000" not in facts.model_dump_json()


def test_figures_are_rounded_and_never_minus_zero() -> None:
    facts = facts_of(evidence([], unusual=(usual("car", -0.001, -0.04),), recent=(earlier(1, 0.0001),)))

    written = facts.model_dump_json()
    assert "-0.0" not in written
    assert facts.recent[0].minutes_before == 0


def test_a_batch_of_the_past_hour_twice_on_the_clock_is_told_by_the_clock() -> None:
    night = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)

    times = [facts_of(evidence([], started_at=night + timedelta(hours=n))).local_time for n in range(2)]

    assert times == ["Sunday 2026-10-25 02:30", "Sunday 2026-10-25 02:30"]
