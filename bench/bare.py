"""The bare loop: what the model costs with nothing around it.

one thread a core, each:   next file ─▶ read ─▶ decode ─▶ letterbox ─▶ its own session of one thread ─▶ boxes
"""

import itertools
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from domain.clock import SystemClock
from vision.cores import usable_cores
from vision.heads import head_of
from vision.letterbox import Letterbox, apply, own_pixels, plan
from vision.reading import read_picture
from vision.runtimes.metadata import input_spec
from vision.runtimes.runtime import fill_blob, warm_up_shape


@dataclass(frozen=True)
class BareRun:
    """`prepare`: reading, decoding and letterboxing; `model`: the network and its boxes. CPU seconds of all threads."""

    pictures: int
    seconds: float
    prepare_cpu_seconds: float
    model_cpu_seconds: float
    boxes: int

    @property
    def pictures_a_second(self) -> float:
        return self.pictures / self.seconds


class _Lane:
    """One thread's session and input array."""

    def __init__(self, weights: Path, confidence: float) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session: Any = onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
        taken = self._session.get_inputs()[0]
        metadata = self._session.get_modelmeta().custom_metadata_map
        self._feed = taken.name
        self.spec = input_spec(metadata, (taken.shape[2], taken.shape[3]))
        self._blob = np.zeros((1, 3, *warm_up_shape(self.spec)), np.float32)
        self._head = head_of(self._answer().shape, metadata)
        self._confidence = confidence
        self.prepare_cpu_seconds = 0.0
        self.model_cpu_seconds = 0.0

    @property
    def names(self) -> tuple[str, ...]:
        return self._head.names

    def boxes(self, path: Path) -> NDArray[np.float32]:
        """Rows of x1, y1, x2, y2, confidence, class in the picture's own pixels."""
        before = time.thread_time()
        picture = read_picture(path.read_bytes(), reduce_to=self.spec.box)
        letterbox = plan(picture.width, picture.height, self.spec)
        frame = apply(picture.pixels, letterbox)
        between = time.thread_time()
        found = self._look(frame, letterbox)
        self.prepare_cpu_seconds += between - before
        self.model_cpu_seconds += time.thread_time() - between
        return found

    def _look(self, frame: NDArray[np.uint8], letterbox: Letterbox) -> NDArray[np.float32]:
        if self._blob.shape[2:] != letterbox.shape:
            self._blob = np.empty((1, 3, *letterbox.shape), np.float32)
        fill_blob(frame, self._blob[0])
        return own_pixels(self._head.boxes(self._answer()[0], self._confidence, letterbox.shape), letterbox)

    def _answer(self) -> NDArray[Any]:
        answer: NDArray[Any] = self._session.run(None, {self._feed: self._blob})[0]
        return answer


class BareLoop:
    """As many lanes as there are cores, unless told otherwise."""

    def __init__(self, weights: Path, confidence: float, lanes: int | None = None) -> None:
        self._lanes = [_Lane(weights, confidence) for _ in range(lanes or usable_cores())]

    @property
    def lanes(self) -> int:
        return len(self._lanes)

    @property
    def names(self) -> tuple[str, ...]:
        return self._lanes[0].names

    def boxes(self, path: Path) -> NDArray[np.float32]:
        """What is in one picture; see _Lane.boxes."""
        return self._lanes[0].boxes(path)

    def run(self, files: Sequence[Path]) -> BareRun:
        """Every file once, as quickly as the machine can; a few at first that do not count."""
        for lane in self._lanes:
            lane.boxes(files[0])
            lane.prepare_cpu_seconds = lane.model_cpu_seconds = 0.0
        clock, numbers = SystemClock(), itertools.count()
        with ThreadPoolExecutor(self.lanes, thread_name_prefix="bare") as threads:
            began = clock.monotonic()
            found = list(threads.map(lambda lane: self._drain(lane, files, numbers), self._lanes))
            seconds = clock.monotonic() - began
        return BareRun(
            pictures=len(files),
            seconds=seconds,
            prepare_cpu_seconds=sum(lane.prepare_cpu_seconds for lane in self._lanes),
            model_cpu_seconds=sum(lane.model_cpu_seconds for lane in self._lanes),
            boxes=sum(found),
        )

    def seconds_each(self, files: Sequence[Path]) -> list[float]:
        """One picture after the other on one thread: what the model alone takes for each."""
        lane, clock = self._lanes[0], SystemClock()
        lane.boxes(files[0])
        taken = []
        for path in files:
            began = clock.monotonic()
            lane.boxes(path)
            taken.append(clock.monotonic() - began)
        return taken

    @staticmethod
    def _drain(lane: _Lane, files: Sequence[Path], numbers: Iterator[int]) -> int:
        """Takes files until there is none left; the number of boxes found in them."""
        boxes = 0
        while (number := next(numbers)) < len(files):
            boxes += len(lane.boxes(files[number]))
        return boxes
