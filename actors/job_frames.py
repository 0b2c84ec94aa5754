"""The live frames of a long job: begun, how far, how it ended."""

from datetime import datetime
from typing import Any

from schemas.frame import NewFrame
from schemas.frame_types import JobCompleted, JobFailed, JobProgress, JobStarted, frame


def job_started(job_id: str, job_type: str, at: datetime) -> NewFrame:
    return frame(JobStarted(job_id=job_id, job_type=job_type, started_at=at))


def job_progress(job_id: str, progress: int, message: str) -> NewFrame:
    """`progress`: 0 to 100."""
    return frame(JobProgress(job_id=job_id, progress=progress, message=message))


def job_completed(job_id: str, at: datetime, result: dict[str, Any]) -> NewFrame:
    return frame(JobCompleted(job_id=job_id, completed_at=at, result=result))


def job_failed(job_id: str, at: datetime, error: str, retryable: bool) -> NewFrame:
    return frame(JobFailed(job_id=job_id, failed_at=at, error=error, retryable=retryable))
