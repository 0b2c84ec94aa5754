"""Frames of the channel `jobs`: work that takes a while, such as a clean-up."""

from typing import Any, ClassVar

from pydantic import Field

from schemas.frame import LiveChannel
from schemas.frame_types.payload import Payload
from schemas.frozen import UtcTime

_JOB = "9d7b2c1e-7f52-4a43-a5d9-1f1c86d5e7b2"


class JobStarted(Payload):
    """A job began."""

    frame_type = "job.started"
    channel = LiveChannel.JOBS
    example: ClassVar[dict[str, Any]] = {"job_id": _JOB, "job_type": "cleanup", "started_at": "2025-12-23T03:00:00Z"}

    job_id: str
    job_type: str
    started_at: UtcTime


class JobProgress(Payload):
    """How far a job has come."""

    frame_type = "job.progress"
    channel = LiveChannel.JOBS
    example: ClassVar[dict[str, Any]] = {"job_id": _JOB, "progress": 40, "message": "detections: 12,000 deleted"}

    job_id: str
    progress: int = Field(ge=0, le=100)
    """Percent."""
    message: str | None = None


class JobCompleted(Payload):
    """A job is done."""

    frame_type = "job.completed"
    channel = LiveChannel.JOBS
    example: ClassVar[dict[str, Any]] = {
        "job_id": _JOB,
        "completed_at": "2025-12-23T03:00:41Z",
        "result": {"events_deleted": 120, "detections_deleted": 30000},
    }

    job_id: str
    completed_at: UtcTime
    result: dict[str, Any]
    """What it did; its fields depend on the job's type."""


class JobFailed(Payload):
    """A job ended before it was done."""

    frame_type = "job.failed"
    channel = LiveChannel.JOBS
    example: ClassVar[dict[str, Any]] = {
        "job_id": _JOB,
        "failed_at": "2025-12-23T03:00:12Z",
        "error": "the database is away",
        "retryable": True,
    }

    job_id: str
    failed_at: UtcTime
    error: str
    retryable: bool
    """Whether another run may succeed without anything being mended first."""
