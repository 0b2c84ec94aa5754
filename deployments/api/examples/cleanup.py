"""Examples of clean-up."""

CLEANUP_STATUS = {
    "running": True,
    "retention_days": 30,
    "log_retention_days": 7,
    "cleanup_time": "03:00",
    "timezone": "Europe/Berlin",
    "delete_images": False,
    "next_cleanup": "2025-12-31T02:00:00Z",
    "last_cleanup": "2025-12-30T02:00:04.217000Z",
    "timestamp": "2025-12-30T10:30:00Z",
}

CLEANUP_REPORT = {
    "events_deleted": 15,
    "detections_deleted": 89,
    "gpu_stats_deleted": 2880,
    "logs_deleted": 150,
    "thumbnails_deleted": 89,
    "images_deleted": 0,
    "space_reclaimed": 1424000,
    "alerts_deleted": 6,
    "batches_deleted": 15,
    "media_deleted": 0,
    "retention_days": 30,
    "log_retention_days": 7,
    "deleted_before": "2025-11-27T10:30:00Z",
    "dry_run": False,
    "job_id": "6f1f6a34-6a3c-4d0e-9a61-0f4a2ed5a0c8",
    "timestamp": "2025-12-27T10:30:00Z",
}

ORPHAN_REPORT = {
    "thumbnails": {
        "orphaned_count": 2,
        "orphaned_size_bytes": 32100,
        "files": ["12/12345-0011223344556677.jpg", "12/tmpk2l0x9.part"],
    },
    "clips": {"orphaned_count": 1, "orphaned_size_bytes": 10000000, "files": ["clip_old.mp4"]},
    "total_orphaned_files": 3,
    "total_size_bytes": 10032100,
    "dry_run": True,
    "job_id": None,
    "timestamp": "2025-12-27T10:30:00Z",
}
