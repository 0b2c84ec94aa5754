"""The key pictures that go along with a question to a model that sees: read, scaled, nothing drawn into them."""

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from actors.evidence_picture import frame_of
from domain.key_frames import key_frames
from schemas.assessment import KeyPicture
from schemas.detection import Detection
from storage.detections import Detections, PictureSource
from storage.errors import NotFound
from vision.annotate import thumbnail

logger = logging.getLogger(__name__)

LONGEST_SIDE = 768
AT_ONCE = 2
"""Pictures decoded at a time: a large one takes 300 MB and a core."""


@dataclass(frozen=True)
class SentPicture:
    """A picture as it is sent, and what is kept of it."""

    kept: KeyPicture
    jpeg: bytes


class KeyPictures:
    """Reads pictures in threads; one that is gone or cannot be read is left out."""

    def __init__(self, detections: Detections) -> None:
        self._detections = detections
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def of(self, detections: Sequence[Detection]) -> tuple[SentPicture, ...]:
        """Those of the key frames that can be read, in the order in which they were taken."""
        read = await asyncio.gather(*(self._read(detection) for detection in key_frames(detections)))
        return tuple(picture for picture in read if picture is not None)

    async def _read(self, detection: Detection) -> SentPicture | None:
        try:
            source = await self._detections.source(detection.id)
        except NotFound:
            return None
        try:
            async with self._turns:
                jpeg = await asyncio.to_thread(_jpeg, source)
        except Exception as error:  # whatever a decoder makes of a hostile file: the batch is assessed without it
            logger.warning("detection %d is not shown to the language model: %s", detection.id, error)
            return None
        kept = KeyPicture(detection_id=detection.id, sha256=hashlib.sha256(jpeg).hexdigest())
        return SentPicture(kept=kept, jpeg=jpeg)


def _jpeg(source: PictureSource) -> bytes:
    return thumbnail(frame_of(source, (LONGEST_SIDE, LONGEST_SIDE)), longest_side=LONGEST_SIDE)
