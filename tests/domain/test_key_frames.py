"""Which detections' pictures a model that sees is shown."""

from itertools import permutations

from domain.key_frames import key_frames
from tests.domain.prompt_scenes import detection


def test_few_frames_are_all_shown_each_once_in_their_order() -> None:
    walked = [detection(second, 100, number=int(second)) for second in (6, 2, 4)]
    beside = detection(4, 700, object_type="car", number=9)
    assert [one.id for one in key_frames([*walked, beside])] == [2, 4, 6]


def test_of_many_four_are_shown_spread_over_the_time() -> None:
    chosen = key_frames([detection(second, 100, number=second) for second in range(40)])
    assert [one.id // 10 for one in chosen] == [0, 1, 2, 3]


def test_in_each_part_the_gravest_class_then_the_surest_is_shown() -> None:
    quiet = [detection(second, 100, object_type="cat", number=second) for second in range(40)]
    grave = detection(13, 100, object_type="knife", confidence=0.4, number=101)
    unsure = detection(25, 100, confidence=0.5, number=102)
    sure = detection(27, 100, confidence=0.95, number=103)
    assert {101, 103} <= {one.id for one in key_frames([*quiet, grave, unsure, sure])}
    assert 102 not in {one.id for one in key_frames([*quiet, grave, unsure, sure])}


def test_parts_without_a_frame_give_their_place_to_the_best_of_the_others() -> None:
    burst = [detection(second / 10, 100, confidence=0.5 + second / 100, number=second) for second in range(20)]
    late = detection(90, 100, number=99)
    assert [one.id for one in key_frames([*burst, late])] == [17, 18, 19, 99]


def test_the_choice_does_not_depend_on_the_rows_order() -> None:
    some = [detection(second, 100, object_type=kind, number=n) for n, (second, kind) in enumerate(_SIX)]
    assert len({key_frames(order) for order in permutations(some)}) == 1


_SIX = ((0, "cat"), (0.2, "person"), (5, "dog"), (5, "person"), (9, "car"), (30, "truck"))


def test_pictures_all_of_one_moment_are_no_trouble() -> None:
    same = [detection(3, 100, clip=f"/clip{number}.mp4", number=number) for number in range(9)]
    assert len(key_frames(same)) == 4
    assert key_frames([]) == ()
