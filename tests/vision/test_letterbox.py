"""Letterboxing: frames of the right shape, and boxes that find their way back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vision.pictures import scene
from vision.errors import WrongFrameShape
from vision.letterbox import PADDING_GREY, InputSpec, apply, fitted_size, frame_pixels, own_pixels, plan

DYNAMIC = InputSpec()
STATIC = InputSpec(long_side=640, static=(640, 640))

sides = st.integers(1, 9000)
specs = st.sampled_from(
    [
        DYNAMIC,
        STATIC,
        InputSpec(320),
        InputSpec(1280, 64),
        InputSpec(640, static=(384, 640)),
        InputSpec(640, static=(320, 224)),
    ]
)


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        ((1920, 1080), (384, 640)),
        ((1280, 720), (384, 640)),
        ((640, 360), (384, 640)),
        ((640, 480), (480, 640)),
        ((720, 1280), (640, 384)),
        ((100, 100), (640, 640)),
        ((3000, 10), (32, 640)),
    ],
)
def test_a_dynamic_model_gets_frames_no_larger_than_needed(size: tuple[int, int], shape: tuple[int, int]) -> None:
    assert plan(*size, DYNAMIC).shape == shape


def test_a_static_model_gets_its_own_shape() -> None:
    assert plan(1920, 1080, STATIC).shape == (640, 640)
    assert plan(1920, 1080, InputSpec(640, static=(384, 640))).shape == (384, 640)


def test_the_picture_lies_in_the_middle_of_grey() -> None:
    frame = apply(np.full((720, 1280, 3), 200, np.uint8), plan(1280, 720, DYNAMIC))
    assert frame.shape == (384, 640, 3)
    assert (frame[:12] == PADDING_GREY).all()
    assert (frame[-12:] == PADDING_GREY).all()
    assert (frame[12:-12] == 200).all()


def test_a_picture_decoded_at_a_reduced_scale_gives_the_same_frame() -> None:
    pixels = np.ascontiguousarray(scene(720, 1280))
    letterbox = plan(1280, 720, DYNAMIC)
    halved = pixels.reshape(360, 2, 640, 2, 3).mean(axis=(1, 3)).astype(np.uint8)
    difference = np.abs(apply(pixels, letterbox).astype(int) - apply(halved, letterbox).astype(int))
    assert difference.mean() < 2


def test_a_row_of_a_stack_is_filled_in_place() -> None:
    stack = np.zeros((2, 384, 640, 3), np.uint8)
    apply(np.full((360, 640, 3), 9, np.uint8), plan(640, 360, DYNAMIC), into=stack[1])
    assert stack[0].max() == 0
    assert stack[1, 200, 300, 0] == 9


def test_a_frame_of_another_shape_is_not_filled() -> None:
    with pytest.raises(WrongFrameShape):
        apply(np.zeros((10, 10, 3), np.uint8), plan(640, 360, DYNAMIC), into=np.zeros((64, 64, 3), np.uint8))


@pytest.mark.parametrize("size", [(7919, 4447), (1281, 721), (33, 5000), (1, 1)])
def test_odd_sizes_are_resized(size: tuple[int, int]) -> None:
    letterbox = plan(*size, InputSpec(320))
    frame = apply(np.full((size[1], size[0], 3), 50, np.uint8), letterbox)
    assert frame.shape[:2] == letterbox.shape
    assert frame[letterbox.top, letterbox.left].tolist() == [50, 50, 50]


def test_a_picture_without_pixels_has_no_plan() -> None:
    with pytest.raises(ValueError, match="no pixels"):
        plan(0, 100, DYNAMIC)


def test_a_spec_smaller_than_its_stride_is_refused() -> None:
    with pytest.raises(ValueError, match="stride"):
        InputSpec(long_side=16)


@given(sides, sides, specs)
def test_every_plan_holds_the_picture(width: int, height: int, spec: InputSpec) -> None:
    letterbox = plan(width, height, spec)
    assert letterbox.frame_height % spec.stride == 0 or spec.static
    assert 0 <= letterbox.left <= letterbox.frame_width - letterbox.inner_width
    assert 0 <= letterbox.top <= letterbox.frame_height - letterbox.inner_height
    assert letterbox.inner_width >= 1
    assert letterbox.inner_height >= 1
    assert max(letterbox.shape) <= max([*(spec.static or ()), spec.long_side + spec.stride])


@given(sides, sides, specs)
def test_what_is_decoded_for_the_box_is_what_the_plan_needs(width: int, height: int, spec: InputSpec) -> None:
    letterbox = plan(width, height, spec)
    assert fitted_size(width, height, spec.box) == (letterbox.inner_width, letterbox.inner_height)


@given(sides, sides, specs, st.tuples(*[st.floats(0, 1)] * 4))
def test_boxes_come_back_to_where_they_were(
    width: int, height: int, spec: InputSpec, corners: tuple[float, float, float, float]
) -> None:
    x1, x2 = sorted((corners[0] * width, corners[1] * width))
    y1, y2 = sorted((corners[2] * height, corners[3] * height))
    letterbox = plan(width, height, spec)
    boxes = np.array([[x1, y1, x2, y2, 0.5, 1]], np.float32)
    framed = frame_pixels(boxes, letterbox)
    assert framed[0, 0] >= letterbox.left - 0.01
    assert framed[0, 3] <= letterbox.top + letterbox.inner_height + 0.01
    back = own_pixels(framed, letterbox)
    scale = max(width / letterbox.inner_width, height / letterbox.inner_height, 1)
    if min(x2 - x1, y2 - y1) > 0.01 * scale:
        assert np.abs(back - boxes).max() <= 0.01 * scale
        assert back[0, 4:].tolist() == [0.5, 1]


@given(sides, sides, specs, st.lists(st.floats(-2000, 3000), min_size=4, max_size=4))
def test_boxes_never_leave_the_picture(width: int, height: int, spec: InputSpec, corners: list[float]) -> None:
    own = own_pixels(np.array([[*corners, 0.9, 0]], np.float32), plan(width, height, spec))
    for x1, y1, x2, y2 in own[:, :4].tolist():
        assert 0 <= x1 < x2 <= width
        assert 0 <= y1 < y2 <= height


def test_a_box_in_the_padding_is_left_out() -> None:
    assert len(own_pixels(np.array([[10, 0, 90, 11, 0.9, 0]], np.float32), plan(1280, 720, DYNAMIC))) == 0
