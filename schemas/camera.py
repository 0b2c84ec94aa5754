"""A camera: one folder below the camera root, into which pictures and clips are dropped."""

from enum import StrEnum

from pydantic import Field

from schemas.frozen import Frozen, UtcTime


class CameraStatus(StrEnum):
    ONLINE = "online"
    OFFLINE = "offline"
    ERROR = "error"
    UNKNOWN = "unknown"


class Camera(Frozen):
    id: str
    """Made from the folder's name: lower case, spaces and hyphens as `_`."""
    name: str
    folder_path: str
    status: CameraStatus
    status_reason: str | None = None
    """Why the status is `error` or `offline`; null otherwise."""
    enabled: bool = True
    """A disabled camera's files stay in its folder and are not looked at."""
    created_at: UtcTime
    last_seen_at: UtcTime | None = None
    """When its newest file was taken in; null before the first."""


class CameraCreate(Frozen):
    name: str = Field(min_length=1, max_length=200)
    """Also the name of the folder that is made below the camera root."""


class CameraUpdate(Frozen):
    name: str | None = Field(default=None, min_length=1, max_length=200)
    enabled: bool | None = None
