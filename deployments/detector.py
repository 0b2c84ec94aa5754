"""The replicated detector: the plain YoloDetector behind Ray Serve, its work in threads so that it always answers."""

import asyncio
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from actors.ports import FoundBox
from actors.process import arm_process, flush_process
from actors.yolo_detector import YoloDetector
from schemas.detection import DetectedObject
from settings import Settings


class DetectorReplica:
    """One model on one device. Serve starts as many as DETECTOR_REPLICAS says."""

    def __init__(self, settings: Settings) -> None:
        arm_process("yolo_detector", settings)
        self._detector = YoloDetector(
            settings.detector_weights,
            device=settings.detector_device,
            threads=settings.detector_threads,
            cache_dir=settings.data_dir / "models",
            confidence=settings.detection_confidence_threshold,
        )
        self._switched_on = True
        # Loads while the rest of the system starts; until then frames wait, and describe() says why.
        self._loading = asyncio.get_running_loop().run_in_executor(None, self._detector.start)

    async def detect_stack(
        self, stack: npt.NDArray[np.uint8], sizes: Sequence[tuple[int, int]], confidence: float
    ) -> list[list[FoundBox]]:
        """See actors/ports.py."""
        return await asyncio.to_thread(self._detector.detect_stack, stack, sizes, confidence)

    async def detect(
        self, image: npt.NDArray[np.uint8] | bytes | str, confidence: float | None = None
    ) -> list[DetectedObject]:
        """For a person at a notebook: an H×W×3 uint8 BGR array, an encoded picture, or a path."""
        return await asyncio.to_thread(self._detector.detect, image, confidence)

    async def describe(self) -> dict[str, Any]:
        """The model, its runtime, its device, the input it wants, and whether it is loaded or why not."""
        status, message = await asyncio.to_thread(self._detector.health)  # also notices weights that were mended
        described = await asyncio.to_thread(self._detector.describe)
        return described | {
            "status": status,
            "message": message,
            "pid": os.getpid(),
            "switched_on": self._switched_on,
        }

    async def switch(self, on: bool) -> None:
        """Loads the model, or gives it back and takes no frames: what a person wishes, told to every replica."""
        self._switched_on = on
        if on:
            self._loading = asyncio.get_running_loop().run_in_executor(None, self._detector.start)
        else:
            await asyncio.to_thread(self._detector.stop)

    async def __del__(self) -> None:
        await asyncio.to_thread(self._detector.stop)
        await asyncio.to_thread(flush_process)
