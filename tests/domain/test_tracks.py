"""Which detections of a batch are taken for one object, and what is said of how it moved."""

import random
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.tracks import tracks
from schemas.detection import BoundingBox, Detection
from schemas.prompt_facts import Movement, Place, Track
from tests.domain.prompt_scenes import STARTED, detection


def tracked(*detections: Detection) -> tuple[Track, ...]:
    return tracks(detections, STARTED)


def only(*detections: Detection) -> Track:
    (track,) = tracked(*detections)
    return track


def walking(start: float, step: float, times: int = 6, seconds: float = 2.0, first: int = 0) -> list[Detection]:
    return [detection(seconds * n, start + step * n, number=first + n) for n in range(times)]


def test_one_detection_is_a_track_of_one_sighting() -> None:
    track = only(detection(3.25, 100))

    assert (track.sightings, track.movement) == (1, Movement.ONCE)
    assert (track.first_seen_seconds, track.last_seen_seconds) == (3.2, 3.2)


def test_nothing_detected_is_no_track() -> None:
    assert tracked() == ()


def test_a_walker_whose_boxes_never_touch_is_one_track() -> None:
    track = only(*walking(0, 150))

    assert (track.sightings, track.movement) == (6, Movement.ACROSS)
    assert (track.from_place, track.to_place) == (Place.MIDDLE_LEFT, Place.MIDDLE)


def test_two_people_who_cross_keep_their_ways() -> None:
    ways = [*walking(100, 100, 9, first=10), *walking(915, -100, 9, first=30)]

    left, right = tracked(*ways)

    assert left.sightings == right.sightings == 9
    assert (left.from_place, left.to_place) == (Place.MIDDLE_LEFT, Place.MIDDLE_RIGHT)
    assert (right.from_place, right.to_place) == (Place.MIDDLE_RIGHT, Place.MIDDLE_LEFT)


def test_two_boxes_of_one_picture_are_never_one_track_though_they_lie_on_each_other() -> None:
    assert len(tracked(detection(0, 100, number=1), detection(0, 102, number=2))) == 2


def test_classes_are_kept_apart_whatever_their_spelling() -> None:
    found = tracked(detection(0, 100), detection(2, 100, object_type="Person"), detection(2, 100, object_type="dog"))

    assert [(track.object_type, track.sightings) for track in found] == [("person", 2), ("dog", 1)]


def test_who_walks_off_and_somebody_else_much_later_are_two_tracks() -> None:
    assert len(tracked(detection(0, 100), detection(13, 400))) == 2


def test_a_car_that_stays_is_one_track_over_pauses_as_long_as_a_batch_allows() -> None:
    parked = [detection(second, 500, 300, 300, 150, "car") for second in (0, 29, 58, 87)]

    track = only(*parked)

    assert (track.sightings, track.movement) == (4, Movement.STILL)


def test_a_pause_longer_than_that_begins_a_new_track() -> None:
    assert len(tracked(detection(0, 500), detection(31, 500))) == 2


def test_what_is_far_off_in_the_next_picture_is_another_one() -> None:
    assert len(tracked(detection(0, 0), detection(1, 1200))) == 2


def test_a_box_of_a_very_different_size_is_another_one() -> None:
    assert len(tracked(detection(0, 500, 300, 200, 400), detection(2, 570, 480, 30, 40))) == 2


def test_frames_of_a_clip_are_told_apart_though_they_share_a_file() -> None:
    frames = [detection(4.0 * n, 100 + 20 * n, clip="/cameras/front_door/clip.mp4", number=n) for n in range(5)]

    assert only(*frames).sightings == 5


def test_a_clip_and_a_picture_of_other_resolutions_share_their_tracks() -> None:
    large = [detection(4.0 * n, 300 + 60 * n, number=n) for n in range(3)]
    small = [
        detection(4.0 * n + 2, (330 + 60 * n) / 2, 150, 30, 80, picture=(640, 360), clip="/c/a.mp4", number=9 + n)
        for n in range(3)
    ]

    assert only(*large, *small).sightings == 6


def test_without_the_pictures_size_everything_but_the_place_is_known() -> None:
    track = only(*(detection(2.0 * n, 100 + 90 * n, picture=(None, None)) for n in range(4)))

    assert (track.sightings, track.movement) == (4, Movement.ACROSS)
    assert (track.from_place, track.to_place) == (None, None)
    assert (track.largest_percent, track.largest_box) == (None, None)


def test_place_and_size_come_from_the_sightings_that_have_a_pictures_size() -> None:
    track = only(detection(0, 100, picture=(None, None)), detection(2, 110), detection(4, 120, picture=(None, None)))

    assert track.sightings == 3
    assert track.from_place is track.to_place is Place.MIDDLE_LEFT
    assert track.largest_percent == 1.0


@pytest.mark.parametrize(("x", "column"), [(0, "left"), (600, "middle"), (1200, "right")])
@pytest.mark.parametrize(("y", "row"), [(0, "upper"), (300, "middle"), (600, "lower")])
def test_a_place_is_the_ninth_in_which_the_boxs_centre_lies(x: float, column: str, y: float, row: str) -> None:
    expected = "middle" if row == column == "middle" else f"{row} {column}"

    assert only(detection(0, x, y, 60, 100)).from_place == expected


def test_a_box_that_grows_comes_closer_and_one_that_shrinks_goes_away() -> None:
    growing = [detection(2.0 * n, 600 - 12 * n, 200 - 20 * n, 60 + 24 * n, 150 + 60 * n) for n in range(6)]
    shrinking = [
        one.model_copy(update={"detected_at": STARTED + timedelta(seconds=10) - (one.detected_at - STARTED)})
        for one in growing
    ]

    assert only(*growing).movement is Movement.CLOSER
    assert only(*shrinking).movement is Movement.AWAY


def test_a_box_that_trembles_stays_in_place() -> None:
    assert (
        only(*(detection(2.0 * n, 500 + 8 * (-1) ** n, 300 + 5 * (n % 3)) for n in range(9))).movement is Movement.STILL
    )


def test_who_paces_up_and_down_is_told_from_who_stands_still() -> None:
    pacing = [detection(2.0 * n, 500 + 90 * (4 - abs(n % 8 - 4)), number=n) for n in range(17)]

    assert only(*pacing).movement is Movement.AROUND


def test_the_largest_box_is_told_in_percent_of_the_picture_and_only_what_lies_in_it() -> None:
    track = only(detection(0, 0, 0, 64, 72), detection(2, -64, -72, 192, 216))

    assert track.largest_percent == 2.0
    assert track.largest_box == (0, 0, 10, 20)


def test_confidences_are_the_mean_and_the_highest() -> None:
    track = only(*(detection(2.0 * n, 500, confidence=confidence) for n, confidence in enumerate((0.5, 0.6, 0.91))))

    assert (track.confidence_mean, track.confidence_max) == (0.67, 0.91)


def test_tracks_come_oldest_first() -> None:
    found = tracked(detection(9, 100), detection(4, 900, object_type="car"), detection(6, 500, object_type="dog"))

    assert [track.object_type for track in found] == ["car", "dog", "person"]


def test_rows_that_hold_no_numbers_spoil_nothing() -> None:
    broken = BoundingBox(x=float("nan"), y=float("inf"), width=float("-inf"), height=float("nan"))
    odd = detection(2, 100).model_copy(update={"bbox": broken, "confidence": float("nan")})

    assert sum(track.sightings for track in tracked(detection(0, 100), odd, detection(4, 110))) == 3


def test_five_hundred_detections_in_two_pictures_are_all_placed() -> None:
    made = random.Random(5)
    crowd = [detection(2.0 * (n % 2), 1200 * made.random(), 500 * made.random(), number=n) for n in range(500)]

    assert sum(track.sightings for track in tracked(*crowd)) == 500


sides = st.floats(0, 700, width=32)
scenes = st.lists(
    st.builds(
        lambda second, x, y, width, height, name, picture, confidence: detection(
            second, x, y, width, height, name, confidence, picture
        ),
        st.sampled_from([0.0, 0.5, 2.0, 4.0, 9.0, 20.0, 45.0, 88.0]),
        st.floats(-100, 1400, width=32),
        st.floats(-100, 900, width=32),
        sides,
        sides,
        st.sampled_from(["person", "Person", "car", "knife"]),
        st.sampled_from([(1280, 720), (640, 360), (None, None), (0, 0)]),
        st.floats(0, 1),
    ),
    max_size=24,
).map(lambda found: [one.model_copy(update={"id": number}) for number, one in enumerate(found)])


@settings(deadline=None)
@given(scenes)
def test_every_detection_is_in_exactly_one_track(found: list[Detection]) -> None:
    by_class: dict[str, int] = {}
    for track in tracks(found, STARTED):
        by_class[track.object_type] = by_class.get(track.object_type, 0) + track.sightings

    names = [one.object_type.lower() for one in found]
    assert by_class == {name: names.count(name) for name in names}


@settings(deadline=None)
@given(scenes, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_makes_no_difference(found: list[Detection], shuffled: random.Random) -> None:
    before = tracks(found, STARTED)
    shuffled.shuffle(found)

    assert tracks(found, STARTED) == before


@settings(deadline=None)
@given(scenes)
def test_no_track_has_more_sightings_than_there_are_frames(found: list[Detection]) -> None:
    frames = {(one.file_path, one.detected_at) for one in found}

    for track in tracks(found, STARTED):
        assert 1 <= track.sightings <= len(frames)
        assert 0 <= track.first_seen_seconds <= track.last_seen_seconds
        assert 0 <= track.confidence_mean <= track.confidence_max <= 1
        assert track.largest_percent is None or 0 <= track.largest_percent <= 100
        assert (track.sightings == 1) == (track.movement is Movement.ONCE)


@settings(deadline=None)
@given(scenes)
def test_there_are_at_least_as_many_tracks_of_a_class_as_were_in_one_frame(found: list[Detection]) -> None:
    named = [track.object_type for track in tracks(found, STARTED)]
    frames = [(one.object_type.lower(), one.file_path) for one in found]

    for frame in frames:
        assert named.count(frame[0]) >= frames.count(frame)
