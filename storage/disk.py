"""How full the disk is that holds a folder: the one way to count it, wherever it is shown."""

import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DiskUse:
    used: int
    total: int
    free: int
    """What this program may still write; the file system keeps a part of the rest for itself."""

    @property
    def percent(self) -> float:
        """Of what this program may use, as df says it: 100 is when nothing can be written any more."""
        usable = self.used + self.free
        return round(100 * self.used / usable, 1) if usable else 100.0


def disk_use(folder: Path) -> DiskUse:
    """Of the disk that holds the folder, or will when it is made. Blocks on the disk."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    return DiskUse(usage.used, usage.total, usage.free)
