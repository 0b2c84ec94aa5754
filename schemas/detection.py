"""A detection: one object that the detector found in one picture or frame."""

from datetime import datetime, timedelta

from pydantic import Field

from schemas.frozen import Frozen, UtcTime
from schemas.media import MediaType


class BoundingBox(Frozen):
    """Pixels of the picture as a person sees it (EXIF rotation applied), origin at the top left."""

    x: float
    y: float
    width: float
    height: float


class DetectedObject(Frozen):
    """What the detector says of one object."""

    object_type: str
    confidence: float = Field(ge=0, le=1)
    bbox: BoundingBox


class FrameDetection(Frozen):
    """One object in one frame of a media file, on its way into the batch."""

    object_type: str
    confidence: float
    bbox: BoundingBox
    frame_offset_seconds: float = 0.0
    """Where in the clip; 0 for a picture."""


class MediaDetections(Frozen):
    """Everything found in one claimed file, handed to the batch aggregator."""

    media_id: int
    camera_id: str
    lease: str
    captured_at: UtcTime
    width: int
    """Of the picture or frame, in pixels."""
    height: int
    frames: int
    """How many frames were looked at: 1 for a picture."""
    detections: tuple[FrameDetection, ...]
    length_seconds: float = 0.0
    """From a clip's first frame to the last one that was looked at; 0 for a picture."""
    found_at: UtcTime | None = None
    """When the detector had answered, by the worker's clock."""

    def seen_at(self, detection: FrameDetection) -> datetime:
        """When the camera saw it: a clip is written when it ends, so its frames lie before `captured_at`."""
        return self.captured_at - timedelta(seconds=self.length_seconds - detection.frame_offset_seconds)

    @property
    def began_at(self) -> datetime:
        """When the first frame with a detection was taken; `captured_at` for a picture."""
        return min((self.seen_at(detection) for detection in self.detections), default=self.captured_at)


class Detection(Frozen):
    """A stored detection, as the API shows it."""

    id: int
    camera_id: str
    file_path: str
    """The upload, absolute."""
    media_type: MediaType
    detected_at: UtcTime
    """When the camera took the picture or frame."""
    object_type: str
    confidence: float
    bbox: BoundingBox
    batch_id: str | None
    event_id: int | None
    frame_offset_seconds: float = 0.0
    picture_width: int | None = None
    picture_height: int | None = None
