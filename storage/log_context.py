"""What a line of the log is about, wherever it is said: the request and the camera of the task that says it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the request that this task serves."""
camera_id: ContextVar[str | None] = ContextVar("camera_id", default=None)
"""The camera whose file, batch or delivery is in hand."""


@contextmanager
def about_camera(camera: str) -> Iterator[None]:
    """Lines said inside name this camera."""
    token = camera_id.set(camera)
    try:
        yield
    finally:
        camera_id.reset(token)
