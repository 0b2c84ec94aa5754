"""A last look at a settled file before it becomes a row: its hash, its time, or why it is refused."""

import hashlib
import os
import stat
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from domain.file_stability import Settled

OLDEST_BELIEVED = timedelta(days=7)
MOST_NS = 2**63 - 1
_CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Intake:
    content_hash: bytes
    """SHA-256; empty for a refused file."""
    captured_at: datetime
    refused: str | None = None


def look_at(settled: Settled, now: datetime) -> Intake | Settled | None:
    """What the row will say; a `Settled` when the file has changed since, None when it is gone. Blocks on the disk."""
    try:
        status = os.lstat(settled.path)
        if stat.S_ISREG(status.st_mode):
            if (status.st_size, modified_ns(status)) != (settled.size, settled.modified_ns):
                return Settled(settled.path, status.st_size, modified_ns(status), settled.kind)
            captured_at = captured(status.st_mtime, now)
            if settled.refused:
                return Intake(b"", captured_at, settled.refused)
            return Intake(_hash(settled.path), captured_at)
    except FileNotFoundError:
        return None
    except OSError as error:
        return Intake(b"", captured(settled.modified_ns / 1e9, now), f"cannot be read: {error.strerror}")
    refused = "a symbolic link, which is not followed" if stat.S_ISLNK(status.st_mode) else "not a regular file"
    return Intake(b"", captured(status.st_mtime, now), refused)


def modified_ns(status: os.stat_result) -> int:
    """Nanoseconds since 1970, as far as a row can hold them: a camera's clock may stand in the year 2400."""
    return max(-MOST_NS, min(status.st_mtime_ns, MOST_NS))


def captured(modified: float, now: datetime) -> datetime:
    """When the camera wrote the file: its modification time, unless that lies in the future or absurdly far back."""
    try:
        written = datetime.fromtimestamp(modified, UTC)
    except (OverflowError, ValueError, OSError):
        return now
    return written if now - OLDEST_BELIEVED <= written <= now else now


def _hash(path: str) -> bytes:
    digest = hashlib.sha256()
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.digest()
