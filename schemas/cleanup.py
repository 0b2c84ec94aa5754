"""Clean-up: what a run deleted or would delete, what lies about unreferred to, and when the next run is."""

from enum import StrEnum

from pydantic import Field

from schemas.frozen import Frozen, UtcTime


class CleanupJob(StrEnum):
    CLEANUP = "cleanup"
    ORPHANED_FILES = "orphaned_files"


class CleanupTrigger(StrEnum):
    SCHEDULE = "schedule"
    REQUEST = "request"


class CleanupCounts(Frozen):
    """What is gone, or would be in a dry run."""

    events_deleted: int = Field(default=0, ge=0)
    detections_deleted: int = Field(default=0, ge=0)
    gpu_stats_deleted: int = Field(default=0, ge=0)
    logs_deleted: int = Field(default=0, ge=0)
    thumbnails_deleted: int = Field(default=0, ge=0)
    """Thumbnail files of deleted detections."""
    images_deleted: int = Field(default=0, ge=0)
    """Uploads, pictures and clips; always 0 unless `delete_images` is on."""
    space_reclaimed: int = Field(default=0, ge=0)
    """Bytes of the files that were deleted. Rows give no space back to the disk; PostgreSQL uses it again."""
    alerts_deleted: int = Field(default=0, ge=0)
    batches_deleted: int = Field(default=0, ge=0)
    media_deleted: int = Field(default=0, ge=0)
    """Rows of files that are gone; while an upload lies in its folder its row stays, or it would be taken for new."""


class CleanupReport(CleanupCounts):
    retention_days: int
    log_retention_days: int
    deleted_before: UtcTime
    """Events that started before this moment are gone, but for those that something still waits for."""
    dry_run: bool
    job_id: str | None
    """As in the job frames and the audit trail; null for a dry run, which leaves no trace."""
    timestamp: UtcTime


class OrphanedFiles(Frozen):
    orphaned_count: int = Field(ge=0)
    orphaned_size_bytes: int = Field(ge=0)
    files: tuple[str, ...]
    """The first of them, relative to their directory."""


class OrphanReport(Frozen):
    thumbnails: OrphanedFiles
    clips: OrphanedFiles
    total_orphaned_files: int = Field(ge=0)
    total_size_bytes: int = Field(ge=0)
    dry_run: bool
    job_id: str | None
    """As in the job frames and the audit trail; null for a dry run, which leaves no trace."""
    timestamp: UtcTime


class CleanupStatus(Frozen):
    running: bool
    """Whether the clean-up service is alive; not whether it is deleting just now."""
    retention_days: int
    log_retention_days: int
    cleanup_time: str
    """`HH:MM` in `timezone`."""
    timezone: str
    delete_images: bool
    next_cleanup: UtcTime | None
    """Null while the service is not running."""
    last_cleanup: UtcTime | None
    """When the last run began that deleted everything it had to; null before the first."""
    timestamp: UtcTime
