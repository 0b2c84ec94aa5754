"""How a camera's file arrives in its folder: bit by bit, under another name or its own, as FTP servers do it."""

import asyncio
import math
import re
from datetime import datetime
from enum import StrEnum
from pathlib import Path

_CHUNK_BYTES = 16_384
_OWN_NAME = re.compile(r".*_\d{8}T\d{9}\.(?:jpg|mp4)")


class Arrival(StrEnum):
    """Under which name the file grows: a dot-file, NAME.part, or from the first byte its own."""

    DOT_FILE = "dot-file"
    PART = "part"
    DIRECT = "direct"


def upload_name(camera: str, now: datetime, suffix: str) -> str:
    """`Front Door_20261122T064602123.jpg`: the camera's clock to the millisecond keeps its uploads apart."""
    return f"{camera}_{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03}{suffix}"


async def upload(folder: Path, name: str, content: bytes, arrival: Arrival, chunk_seconds: float) -> Path:
    """Writes the file in chunks with a pause after each, and gives it its own name once it is whole.

    Makes the folder where it is missing. On any failure what was written is taken away again; raises OSError.
    """
    whole = folder / name
    growing = {
        Arrival.DOT_FILE: folder / f".{name}",
        Arrival.PART: folder / f"{name}.part",
        Arrival.DIRECT: whole,
    }[arrival]
    # A few kilobytes at a time to a local disk: not worth a thread each.
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240
    try:
        with growing.open("wb") as file:
            for start in range(0, len(content), _CHUNK_BYTES):
                file.write(content[start : start + _CHUNK_BYTES])
                file.flush()
                await asyncio.sleep(chunk_seconds)
        if growing != whole:
            growing.rename(whole)
    except BaseException:
        growing.unlink(missing_ok=True)
        raise
    return whole


def delete_oldest(folder: Path, keep_files: int, older_than: float) -> int:
    """Deletes the oldest uploads beyond `keep_files` whose time of change lies before `older_than` (a Unix time).

    Files with other names than a demo camera gives are left alone. Returns how many went.
    """
    changed = {path: _changed(path) for path in folder.iterdir() if _OWN_NAME.fullmatch(path.name)}
    oldest_first = sorted(changed, key=lambda path: changed[path])
    excess = [path for path in oldest_first[: max(0, len(changed) - keep_files)] if changed[path] < older_than]
    for path in excess:
        path.unlink(missing_ok=True)
    return len(excess)


def _changed(path: Path) -> float:
    """When the file was last written; now and for ever, where somebody else has deleted it meanwhile."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return math.inf
