"""Which frames of a clip are looked at: one every few seconds, the first always, spread over a long clip.

80 s or less: 0 4 8 12 … (one per 4 s)          longer: 20 frames, evenly spread over the whole
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

SECONDS_BETWEEN = 4.0
MOST_FRAMES = 20

NEAR_ENOUGH = 0.125
"""A key frame this close to a wished moment, as a share of the spacing, is as good and costs far less to decode."""


@dataclass(frozen=True, slots=True)
class FrameWish:
    """One frame to look at, and how to come by it."""

    at_seconds: float
    """Take the first frame at or after this moment."""
    seek_to_seconds: float | None
    """The key frame to jump to first; None: decode on from where the reader is."""


def sample_times(
    duration_seconds: float | None, seconds_between: float = SECONDS_BETWEEN, most: int = MOST_FRAMES
) -> tuple[float, ...]:
    """The moments wished for, from the start of the clip on.

    A clip of unknown length is treated as one that is long enough; what lies behind its end is never reached.
    """
    if seconds_between <= 0 or most < 1:
        raise ValueError(f"cannot take {most} frames every {seconds_between} s")
    if duration_seconds is None or math.isnan(duration_seconds) or math.isinf(duration_seconds):
        return tuple(i * seconds_between for i in range(most))
    wanted = max(1, math.ceil(round(duration_seconds / seconds_between, 6)))
    if wanted <= most:
        return tuple(i * seconds_between for i in range(wanted))
    return tuple(i * duration_seconds / most for i in range(most))


def plan_reading(
    times: Sequence[float], key_frames: Sequence[float], near_enough_seconds: float = SECONDS_BETWEEN * NEAR_ENOUGH
) -> tuple[FrameWish, ...]:
    """How to reach each moment with the least decoding, given where the clip's key frames are (ascending).

    A key frame that is near enough stands in for the moment. Otherwise the reader jumps to the last key frame before
    it, unless decoding on from the frame before is no farther.
    """
    wishes: list[FrameWish] = []
    reached = -math.inf
    for time in times:
        nearest = _nearest(key_frames, time)
        if nearest is not None and abs(nearest - time) <= near_enough_seconds and nearest > reached:
            wishes.append(FrameWish(nearest, None if math.isinf(reached) and nearest == key_frames[0] else nearest))
            reached = nearest
            continue
        if time <= reached:
            continue
        before = key_frames[index - 1] if (index := bisect_right(key_frames, time)) else None
        pays = before is not None and before > reached and not math.isinf(reached)
        wishes.append(FrameWish(time, before if pays else None))
        reached = time
    return tuple(wishes)


def _nearest(sorted_times: Sequence[float], time: float) -> float | None:
    index = bisect_left(sorted_times, time)
    around = sorted_times[max(0, index - 1) : index + 1]
    return min(around, key=lambda candidate: abs(candidate - time)) if around else None
