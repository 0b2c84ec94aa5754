"""A media row: one file that a camera dropped, from the moment it settled.

queued ──claim──▶ detecting ──commit──▶ detected
  │                  │
  ├─ same bytes ─▶ duplicate            (seen within 300 s from this camera)
  └─────────────────▶ dead              (with its reason; requeued by hand)
"""

from enum import StrEnum

from schemas.frozen import Frozen, UtcTime


class MediaType(StrEnum):
    IMAGE = "image"
    VIDEO = "video"


class MediaState(StrEnum):
    QUEUED = "queued"
    DETECTING = "detecting"
    DETECTED = "detected"
    DUPLICATE = "duplicate"
    DEAD = "dead"


class NewMedia(Frozen):
    """A settled file, as the watcher saw it."""

    camera_id: str
    path: str
    """Absolute; bytes that are not UTF-8 are kept as surrogate escapes (os.fsdecode)."""
    size_bytes: int
    modified_ns: int
    content_hash: bytes
    """SHA-256 of the whole file."""
    media_type: MediaType
    captured_at: UtcTime
    """When the camera wrote the file (its modification time), as far as that is believable."""
    settled_at: UtcTime | None = None
    """When it was found complete and was looked at for the last time."""
    refused: str | None = None
    """Set for a file that is taken note of but cannot be looked at: the row starts as `dead` with this reason."""


class ClaimedMedia(Frozen):
    """A row leased to one worker."""

    id: int
    camera_id: str
    path: str
    size_bytes: int
    modified_ns: int
    media_type: MediaType
    captured_at: UtcTime
    attempts: int
    """This try included."""
    lease: str
    """The token that a commit must present."""


class Media(Frozen):
    """What the API shows of a file."""

    id: int
    camera_id: str
    file_path: str
    media_type: MediaType
    size_bytes: int
    state: MediaState
    reason: str | None
    """Why it is `dead` or a `duplicate`."""
    duplicate_of: int | None
    captured_at: UtcTime
    received_at: UtcTime
    detected_at: UtcTime | None
    attempts: int
