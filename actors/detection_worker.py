"""Reads and decodes claimed media, has the detector look at the frames, hands what was found to the batch aggregator.

When it dies nothing is lost: its rows come back as soon as its successor starts, or when their lease ends.
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import numpy as np

from actors.claim_scope import ClaimScope
from actors.frames import DecodedMedia, decode_media
from actors.metrics import DETECTION_SECONDS, MEDIA
from actors.ports import ActorAway, AggregatorPort, BreakersPort, DetectorPort, FoundBox
from actors.scene_watch import SceneWatch, Seen
from actors.work_loop import WorkLoop
from domain import retry
from domain.circuit_breaker import Rejected
from domain.clock import Clock, SystemClock
from domain.labels import expand, normalised
from schemas.detection import BoundingBox, FrameDetection, MediaDetections
from schemas.media import ClaimedMedia
from schemas.runtime_config import RuntimeConfig
from schemas.service import Health
from storage.config import RuntimeConfigs
from storage.errors import StoreUnavailable
from storage.log_context import about_camera, camera_id
from storage.media import MediaQueue
from vision.errors import DetectorUnavailable, UnreadableMedia, WrongFrameShape
from vision.letterbox import InputSpec

logger = logging.getLogger(__name__)

BREAKER = "yolo26"
LEASE_SECONDS = 120.0
FILES_A_CLAIM = 32
FRAMES_A_STACK = 32
HAND_OVER_TRIES = 60
HAND_OVER_PAUSE_SECONDS = 0.5
CLAIMS_AT_ONCE = 2
"""One is decoded while the other is with the detector."""


@dataclass(frozen=True)
class DetectionTools:
    """What the worker works with, opened in its own process."""

    queue: MediaQueue
    configs: RuntimeConfigs
    detector: DetectorPort
    aggregator: AggregatorPort
    breakers: BreakersPort
    wait: Callable[[float], Awaitable[object]]
    random: Callable[[], float]
    clock: Clock = field(default_factory=SystemClock)
    scenes: SceneWatch | None = None
    """Watches what the cameras show; None where nobody wants to know."""


@dataclass(frozen=True)
class Unusable:
    """Why a file could not be looked at, and whether another try can change that."""

    reason: str
    final: bool


class DetectionWorker:
    """`media: queued → detecting → detected`."""

    def __init__(self, name: str, connect: Callable[[], Awaitable[DetectionTools]]) -> None:
        self._name = name
        self._connect = connect
        self._tools: DetectionTools | None = None
        self._input: InputSpec | None = None
        self._away: str | None = None
        self._done = 0
        scopes = [ClaimScope(f"{name}-{slot}") for slot in range(1, CLAIMS_AT_ONCE + 1)]
        self._loops = [WorkLoop(scope.owner, partial(self._work, scope), self._wait) for scope in scopes]
        self._threads = ThreadPoolExecutor(os.cpu_count() or 2, thread_name_prefix="decode")
        self._opening = asyncio.Lock()

    async def start(self) -> None:
        for loop in self._loops:
            loop.start()

    async def stop(self) -> None:
        await asyncio.gather(*(loop.stop() for loop in self._loops))
        if self._tools is not None and self._tools.scenes is not None:
            await self._tools.scenes.stop()

    async def health(self) -> Health:
        worst = min((loop.health() for loop in self._loops), key=lambda health: health.healthy)
        message = worst.message or self._away
        detail = {"files_done": self._done}
        if self._tools is not None and self._tools.scenes is not None:
            detail |= {"scene_failures": self._tools.scenes.failures, "scene_dropped": self._tools.scenes.dropped}
        return Health(healthy=worst.healthy, message=message, detail=detail)

    async def _wait(self, seconds: float) -> None:
        await (self._tools.wait(seconds) if self._tools else asyncio.sleep(seconds))

    async def _opened(self) -> DetectionTools:
        async with self._opening:
            if self._tools is None:
                self._tools = await self._connect()
        return self._tools

    async def _work(self, scope: ClaimScope) -> bool:
        """One claim: up to 32 files from queued to detected. Answers whether there was anything."""
        tools = await self._opened()
        async with scope.claim(tools.queue.release):
            return await self._claim(tools, scope.owner)

    async def _claim(self, tools: DetectionTools, owner: str) -> bool:
        if not await self._detector_is_there(tools):
            return False
        files = await tools.queue.claim(owner, FILES_A_CLAIM, LEASE_SECONDS, retry.MEDIA.tries)
        if not files:
            await tools.queue.bury_exhausted(retry.MEDIA.tries)
            return False
        return await self._detect(tools, files, await tools.configs.current())

    async def _detector_is_there(self, tools: DetectionTools) -> bool:
        """Files are claimed only for a detector that can look at them; until then they wait as rows, untried."""
        if self._input is not None and self._away is None:
            return True
        try:
            described = await tools.detector.describe()
        except Exception as error:
            self._away = f"the detector does not answer: {error}"
            return False
        self._away = None if described["loaded"] else str(described["reason"])
        if self._away is None:
            self._input = InputSpec(**described["input_spec"])
        return self._away is None

    async def _detect(self, tools: DetectionTools, files: Sequence[ClaimedMedia], config: RuntimeConfig) -> bool:
        """Whether it is worth claiming more at once: not while the breaker is open or the detector away."""
        assert self._input is not None
        began = tools.clock.monotonic()
        admission = await tools.breakers.admit(BREAKER)
        if isinstance(admission, Rejected):
            await tools.queue.give_back(files, admission.retry_in)
            self._away = f"the circuit breaker {BREAKER} is open"
            return False
        decoded = await asyncio.gather(*(self._decode(file, self._input) for file in files))
        readable: list[tuple[ClaimedMedia, DecodedMedia]] = []
        for file, outcome in zip(files, decoded, strict=True):
            if isinstance(outcome, Unusable):
                await self._fail(tools, [file], outcome)
            else:
                readable.append((file, outcome))
        if not readable:
            await tools.breakers.released(BREAKER, admission)
            return True
        if tools.scenes is not None:
            tools.scenes.look([Seen(file.camera_id, file.id, file.captured_at, m.view) for file, m in readable])
        try:
            found = await self._look(tools, [media for _, media in readable], config.detection_confidence_threshold)
        except DetectorUnavailable as error:
            self._away = error.reason
            await tools.breakers.failed(BREAKER, admission)
            await tools.queue.give_back([file for file, _ in readable], 1.0)
            return False
        except WrongFrameShape:
            self._input = None  # another model was loaded meanwhile: ask it what it wants
            await tools.breakers.released(BREAKER, admission)
            await tools.queue.give_back([file for file, _ in readable], 0.0)
            return True
        except Exception as error:
            self._input = None  # no further claim before the detector has answered again
            await tools.breakers.failed(BREAKER, admission)
            await self._fail(tools, [file for file, _ in readable], Unusable(f"detection failed: {error}", final=False))
            raise
        for _ in readable:
            DETECTION_SECONDS.observe(tools.clock.monotonic() - began)
        await tools.breakers.succeeded(BREAKER, admission)
        keep = expand(config.detection_classes)
        now = tools.clock.now()
        results = [_result(file, media, boxes, keep, now) for (file, media), boxes in zip(readable, found, strict=True)]
        await self._hand_over(tools, results)
        self._done += len(results)
        MEDIA.labels("detected").inc(len(results))
        return True

    async def _hand_over(self, tools: DetectionTools, results: Sequence[MediaDetections]) -> None:
        """An aggregator that is being started again is waited for: what was found need not be looked for twice."""
        for _ in range(HAND_OVER_TRIES):
            try:
                return await tools.aggregator.add(results)
            except (ActorAway, StoreUnavailable) as error:
                logger.warning("the batch aggregator cannot take %d files yet: %s", len(results), error)
                await asyncio.sleep(HAND_OVER_PAUSE_SECONDS)
        return await tools.aggregator.add(results)

    async def _decode(self, file: ClaimedMedia, spec: InputSpec) -> DecodedMedia | Unusable:
        """The frames, or why there are none. In a task of its own, whose log lines name the camera."""
        camera_id.set(file.camera_id)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, decode_media, file, spec)
        except UnreadableMedia as error:
            return Unusable(error.reason, final=True)
        except OSError as error:
            return Unusable(f"the file cannot be read: {error.strerror}", final=False)
        except Exception as error:  # whatever a decoder makes of a hostile file must not stop the files beside it
            logger.exception("media %s of %s", file.id, file.camera_id)
            return Unusable(f"the file cannot be decoded ({type(error).__name__})", final=False)

    async def _fail(self, tools: DetectionTools, files: Sequence[ClaimedMedia], because: Unusable) -> None:
        """Tried and failed: again after a while, or a dead letter with its reason."""
        for file in files:
            decision = retry.next_try(retry.MEDIA, file.attempts, tools.random())
            retry_in = decision.seconds if isinstance(decision, retry.RetryIn) and not because.final else None
            MEDIA.labels("dead" if retry_in is None else "retried").inc()
            if retry_in is None:
                with about_camera(file.camera_id):
                    logger.warning("media %s of %s is dead: %s", file.id, file.camera_id, because.reason)
            await tools.queue.fail(file, because.reason, retry_in)

    async def _look(
        self, tools: DetectionTools, media: Sequence[DecodedMedia], confidence: float
    ) -> list[list[list[FoundBox]]]:
        """What the detector finds: by file, by frame. Frames of one shape go in one stack."""
        found: list[list[list[FoundBox]]] = [[[] for _ in one.frames] for one in media]
        by_shape: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for number, one in enumerate(media):
            for position, frame in enumerate(one.frames):
                by_shape.setdefault(frame.pixels.shape[:2], []).append((number, position))
        for places in by_shape.values():
            for start in range(0, len(places), FRAMES_A_STACK):
                some = places[start : start + FRAMES_A_STACK]
                stack = np.stack([media[number].frames[position].pixels for number, position in some])
                sizes = [(media[number].width, media[number].height) for number, _ in some]
                boxes = await tools.detector.detect_stack(stack, sizes, confidence)
                for (number, position), found_there in zip(some, boxes, strict=True):
                    found[number][position] = found_there
        return found


def _result(
    file: ClaimedMedia,
    media: DecodedMedia,
    found: Sequence[Sequence[FoundBox]],
    keep: frozenset[str],
    found_at: datetime,
) -> MediaDetections:
    """What goes to the aggregator: the boxes of the classes that are kept."""
    return MediaDetections(
        media_id=file.id,
        camera_id=file.camera_id,
        lease=file.lease,
        captured_at=file.captured_at,
        width=media.width,
        height=media.height,
        frames=len(media.frames),
        length_seconds=media.frames[-1].offset_seconds,
        found_at=found_at,
        detections=tuple(
            FrameDetection(
                object_type=object_type,
                confidence=confidence,
                bbox=BoundingBox(x=x, y=y, width=width, height=height),
                frame_offset_seconds=frame.offset_seconds,
            )
            for frame, boxes in zip(media.frames, found, strict=True)
            for object_type, confidence, x, y, width, height in boxes
            if not keep or normalised(object_type) in keep
        ),
    )
