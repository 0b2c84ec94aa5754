"""A scene change: a camera that shows something other than its usual view, for longer than a passer-by would."""

from enum import StrEnum

from schemas.frozen import Frozen, UtcTime


class SceneChangeType(StrEnum):
    VIEW_CHANGED = "view_changed"
    """It looks elsewhere: it was moved, or what it looks at was rebuilt."""
    COVERED = "covered"
    """It shows next to no detail: covered, blinded, out of focus, or in the dark."""
    VIEW_RESTORED = "view_restored"
    """It shows its usual view again after it was covered."""


class SceneReference(Frozen):
    """A camera's usual view, and how sure it is."""

    camera_id: str
    view: bytes
    """A small grey picture; vision/scene.py knows its form."""
    frames: int
    """How many pictures agreed with it."""
    covered: bool
    """Whether the camera shows nothing at the moment."""
    learnt_at: UtcTime
    """When the newest picture that went into it was taken."""
    last_at: UtcTime
    """When the newest picture that was compared with it was taken."""
    version: int
    """Counts its changes; one that was written against another version is not stored."""


class NewSceneChange(Frozen):
    camera_id: str
    detected_at: UtcTime
    change_type: SceneChangeType
    similarity_score: float
    media_id: int
    """The picture that settled it."""
