"""The detector: a YOLO model on a device, in a plain class that a Serve deployment replicates or a notebook holds.

What is lost when it dies: nothing; frames are rows until their boxes are committed.

    start ──▶ loaded ──stop──▶ stopped           healthy while loaded and answering
      └─────▶ no model ──file changed──▶ loaded    unhealthy, with the reason and how to mend it
"""

import logging
import os
import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actors.metrics import DETECTOR_CALL_SECONDS, FRAMES_DETECTED
from actors.nvml import process_memory_mb
from actors.self_check import SelfCheck
from domain.clock import Clock, SystemClock
from schemas.detection import BoundingBox, DetectedObject
from vision.errors import DetectorUnavailable, InferenceFailed, ModelUnusable, WrongFrameShape
from vision.frame_counter import FrameCounter
from vision.given_picture import GivenPicture, as_picture
from vision.letterbox import Letterbox, apply, own_pixels, plan
from vision.runtimes import DEFAULT_CONFIDENCE, Runtime, load_model
from vision.self_check_picture import self_check_picture

LOOK_AGAIN_SECONDS = 5.0
"""How often the weights' file is looked at while there is no model."""
TRY_AGAIN_SECONDS = 60.0
"""How often loading is tried again though the file is the same: a driver or the internet may have come back."""
FAILURES_UNTIL_UNHEALTHY = 3

CompactBox = tuple[str, float, float, float, float, float]
"""Class name, confidence, then x, y, width and height in the picture's own pixels."""

_log = logging.getLogger(__name__)


class YoloDetector:
    """Loads what `weights` names, finds objects in pictures; safe to call from several threads."""

    def __init__(
        self,
        weights: str | Path,
        device: str = "auto",
        threads: int | None = None,
        cache_dir: str | Path | None = None,
        confidence: float = DEFAULT_CONFIDENCE,
        clock: Clock | None = None,
        long_side: int | None = None,
    ) -> None:
        """Assigns only: a constructor that raises in a restart would end the actor for good."""
        self._weights = str(weights)
        self._device = device
        self._threads = threads
        self._cache_dir = cache_dir
        self._confidence = confidence
        self._clock = clock or SystemClock()
        self._long_side = long_side
        self._runtime: Runtime | None = None
        self._loading = threading.Lock()
        self._unavailable = "the detector has not been started"
        self._started = False
        self._looked_at: float | None = None
        self._tried_at = 0.0
        self._tried_file: tuple[int, ...] | None = None
        self._failures = 0
        self._last_failure = ""
        self._frames = FrameCounter()
        self._self_check = SelfCheck(self._clock, lambda: Path(self._cache_dir or _default_cache_dir()))

    def start(self) -> None:
        """Load the model; may take minutes where weights are exported first. Never raises: ask `health`."""
        with self._loading:
            self._started = True
            if self._runtime is None:
                self._load()

    def stop(self) -> None:
        """Give the model's memory back; `start` loads it again."""
        with self._loading:
            runtime, self._runtime = self._runtime, None
            self._started = False
            self._unavailable = "the detector has been stopped"
        if runtime is not None:
            runtime.close()

    def detect(self, image: GivenPicture, confidence: float | None = None) -> list[DetectedObject]:
        """What is in one picture: an H×W×3 uint8 BGR array, the bytes of a JPEG or PNG, or a path.

        Boxes are in the picture's own pixels, most certain first. Raises DetectorUnavailable, InferenceFailed,
        UnreadablePicture, and ValueError for an array that is no picture.
        """
        runtime = self._ready()
        picture = as_picture(image, runtime.input_spec.box)
        letterbox = plan(picture.width, picture.height, runtime.input_spec)
        frame = apply(picture.pixels, letterbox)
        wanted = self._confidence if confidence is None else confidence
        return [_object(box) for box in self._run(runtime, frame[np.newaxis], [letterbox], wanted)[0]]

    def detect_stack(
        self, stack: NDArray[np.uint8], sizes: Sequence[tuple[int, int]], confidence: float
    ) -> list[list[CompactBox]]:
        """What is in each frame of an N×H×W×3 uint8 BGR stack, letterboxed by `vision.letterbox.plan`.

        `sizes` are the pictures' own widths and heights. Raises DetectorUnavailable, InferenceFailed, and
        WrongFrameShape where the frames were made for another model than is loaded now (ask `describe` again).
        """
        runtime = self._ready()
        if stack.ndim != 4 or stack.shape[3] != 3 or stack.dtype != np.uint8 or len(stack) != len(sizes):
            raise ValueError(f"{len(sizes)} sizes do not go with a stack of {stack.shape} {stack.dtype}")
        letterboxes = [plan(width, height, runtime.input_spec) for width, height in sizes]
        for letterbox in letterboxes:
            if letterbox.shape != stack.shape[1:3]:
                raise WrongFrameShape(letterbox.shape, (stack.shape[1], stack.shape[2]))
        return self._run(runtime, stack, letterboxes, confidence)

    def self_check(self) -> dict[str, Any]:
        """Run the model on a picture drawn from numbers: what it found, and how long that took."""
        before = self._clock.monotonic()
        found = self._in_check_picture()
        return {
            "milliseconds": round((self._clock.monotonic() - before) * 1e3, 1),
            "objects": [one.model_dump() for one in found],
        }

    def health(self) -> tuple[str, str]:
        """`healthy` or `unhealthy`, and why. Sees to it that a repaired file is noticed, without waiting for it."""
        if self._runtime is None:
            if self._started and self._worth_another_look():
                threading.Thread(target=self._look_again, name="detector-loading", daemon=True).start()
            return "unhealthy", self._unavailable
        if self._failures >= FAILURES_UNTIL_UNHEALTHY:
            return "unhealthy", f"the last {self._failures} calls failed: {self._last_failure}"
        self._self_check.run_if_due(self._runtime.fingerprint, self._in_check_picture)
        fault = self._self_check.fault()
        if fault is not None:
            return "unhealthy", fault
        return "healthy", "; ".join(self._runtime.remarks)

    def describe(self) -> dict[str, Any]:
        """Which model on which runtime and device, what frames it takes, and how fast it is."""
        runtime, now = self._runtime, self._clock.monotonic()
        milliseconds = self._frames.milliseconds_per_frame(now)
        return {
            "model": Path(self._weights).name,
            "loaded": runtime is not None,
            "reason": self._unavailable if runtime is None else None,
            "runtime": runtime.kind if runtime else None,
            "device": runtime.device if runtime else self._device,
            "names": list(runtime.names) if runtime else [],
            "input_spec": asdict(runtime.input_spec) if runtime else None,
            "lanes": runtime.lanes if runtime else 0,
            "fingerprint": runtime.fingerprint if runtime else None,
            "remarks": list(runtime.remarks) if runtime else [],
            "frames_finished": self._frames.finished,
            "frames_last_minute": self._frames.last_minute(now),
            "inference_fps": self._frames.frames_per_second(now),
            "milliseconds_per_frame": None if milliseconds is None else round(milliseconds, 2),
            "vram_mb": process_memory_mb(os.getpid(), runtime.device) if runtime else None,
            "self_check": self._self_check.describe() if runtime else None,
        }

    def _in_check_picture(self) -> list[DetectedObject]:
        """What the model finds in the known picture; no frame of anybody's, so it is not counted as one."""
        runtime = self._ready()
        picture = self_check_picture()
        letterbox = plan(picture.shape[1], picture.shape[0], runtime.input_spec)
        found = self._run(runtime, apply(picture, letterbox)[np.newaxis], [letterbox], 0.05, counted=False)[0]
        return [_object(box) for box in found]

    def _run(
        self,
        runtime: Runtime,
        stack: NDArray[np.uint8],
        letterboxes: Sequence[Letterbox],
        confidence: float,
        counted: bool = True,
    ) -> list[list[CompactBox]]:
        if not len(stack):
            return []
        before = self._clock.monotonic()
        try:
            found = runtime.run(stack, confidence)
        except Exception as error:  # whatever the runtime raises would not survive the trip to another process
            if runtime is not self._runtime:
                raise DetectorUnavailable(self._unavailable) from None
            self._failures += 1
            self._last_failure = f"{type(error).__name__}: {error}"
            raise InferenceFailed(self._last_failure) from error
        now = self._clock.monotonic()
        self._failures = 0
        if counted:
            self._frames.add(len(stack), now - before, now)
            FRAMES_DETECTED.inc(len(stack))
            DETECTOR_CALL_SECONDS.observe(now - before)
        return [
            _compact(own_pixels(rows, letterbox), runtime.names)
            for rows, letterbox in zip(found, letterboxes, strict=True)
        ]

    def _ready(self) -> Runtime:
        """The loaded model; loads it where that is worth a try, but never waits for another thread that does."""
        runtime = self._runtime
        if runtime is not None:
            return runtime
        if not self._loading.acquire(blocking=False):
            raise DetectorUnavailable("the model is being loaded")
        try:
            if self._runtime is None and (self._looked_at is None or (self._started and self._worth_another_look())):
                self._started = True
                self._load_if_changed()
            if self._runtime is None:
                raise DetectorUnavailable(self._unavailable)
            return self._runtime
        finally:
            self._loading.release()

    def _worth_another_look(self) -> bool:
        return self._looked_at is None or self._clock.monotonic() - self._looked_at >= LOOK_AGAIN_SECONDS

    def _look_again(self) -> None:
        if self._loading.acquire(blocking=False):
            try:
                if self._runtime is None and self._started and self._worth_another_look():
                    self._load_if_changed()
            finally:
                self._loading.release()

    def _load_if_changed(self) -> None:
        now = self._clock.monotonic()
        first = self._looked_at is None
        self._looked_at = now
        if first or _file_state(self._weights) != self._tried_file or now - self._tried_at >= TRY_AGAIN_SECONDS:
            self._load()

    def _load(self) -> None:
        """Called with the lock held. The file's state is taken before it is read: a change meanwhile is a change."""
        self._looked_at = self._tried_at = self._clock.monotonic()
        self._tried_file = _file_state(self._weights)
        self._unavailable = "the model is being loaded"
        try:
            cache_dir = self._cache_dir or _default_cache_dir()
            runtime = load_model(self._weights, self._device, self._threads, cache_dir, long_side=self._long_side)
        except ModelUnusable as error:
            self._unavailable = str(error)
        except Exception as error:  # a driver or a full disk; the detector must outlive it and say so
            self._unavailable = f"{self._weights}: loading failed ({type(error).__name__}: {error})"
        else:
            self._failures = 0
            self._runtime = runtime
            _log.info("loaded %s on %s (%s)", self._weights, runtime.kind, runtime.device)
            self._self_check.run(runtime.fingerprint, self._in_check_picture)
            return
        _log.warning("no model: %s", self._unavailable)


def _object(box: CompactBox) -> DetectedObject:
    name, sure, x, y, width, height = box
    return DetectedObject(object_type=name, confidence=sure, bbox=BoundingBox(x=x, y=y, width=width, height=height))


def _compact(rows: NDArray[np.float32], names: tuple[str, ...]) -> list[CompactBox]:
    return [
        (names[int(number)], sure, x1, y1, x2 - x1, y2 - y1) for x1, y1, x2, y2, sure, number in rows[:, :6].tolist()
    ]


def _file_state(weights: str) -> tuple[int, ...] | None:
    """What changes when a file does; None while it is not there."""
    try:
        status = os.stat(os.path.expanduser(weights))
    except OSError:
        return None
    return (status.st_mtime_ns, status.st_size, status.st_ino)


def _default_cache_dir() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "home-security-intelligence" / "models"
