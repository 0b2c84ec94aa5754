"""As many frames at once as there are cores, each computed by one thread from its pixels to its boxes."""

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

FrameWork = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


class Lanes:
    """Spreads a stack of frames over threads, the caller's own among them; bounded over all callers together."""

    def __init__(self, lanes: int, name: str) -> None:
        self.count = max(1, lanes)
        self._free = threading.BoundedSemaphore(self.count)
        self._pool = ThreadPoolExecutor(self.count, thread_name_prefix=name)
        self._blobs = threading.local()

    def spread(self, work: FrameWork, stack: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """`work` for every frame, in order. Each lane takes the next frame when it is done with one."""
        boxes: dict[int, NDArray[np.float32]] = {}
        numbers = itertools.count()

        def lane() -> None:
            while (number := next(numbers)) < len(stack):
                with self._free:
                    boxes[number] = work(stack[number])

        others = [self._pool.submit(lane) for _ in range(min(self.count, len(stack)) - 1)]
        try:
            lane()
        finally:
            numbers = itertools.count(len(stack))  # after a failure nobody takes another frame
            unfinished = [other for other in others if not other.cancel()]
        for other in unfinished:
            other.result()
        return [boxes[number] for number in range(len(stack))]

    def blob(self, shape: tuple[int, ...], kind: type[np.floating[Any]]) -> NDArray[Any]:
        """This thread's own input array, used again for every frame of one shape."""
        blob: NDArray[Any] | None = getattr(self._blobs, "array", None)
        if blob is None or blob.shape != shape or blob.dtype != kind:
            blob = np.empty(shape, kind)
            self._blobs.array = blob
        return blob

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
