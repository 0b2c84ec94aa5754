"""The pictures that everything is measured with: drawn once, then copied so that no two files hold the same bytes."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from demo.crowds import random_picture
from domain.clock import SystemClock

SIZE = (1280, 720)
CAMERAS = ("Front Door", "Driveway", "Backyard", "Garage")
DRAWN = 48
_SEED = 41
_QUALITY = 85
_AGE_SECONDS = 5.0
"""How long before its arrival a file was last written: more than the 2 s that make a file stable."""


@dataclass(frozen=True)
class Staged:
    """A picture that lies ready outside the camera folders, on the same disk."""

    path: Path
    camera: str

    def place(self, cameras: Path) -> Path:
        """Renames it into its camera's folder, as a camera does at the end of an upload."""
        target = cameras / self.camera / self.path.name
        os.rename(self.path, target)
        return target

    def grow_old(self) -> None:
        """Last written a few seconds ago, so that only the debounce stands between its arrival and its row."""
        written = SystemClock().now().timestamp() - _AGE_SECONDS
        os.utime(self.path, (written, written))


def drawn_pictures(cache: Path, count: int = DRAWN) -> list[Path]:
    """JPEGs of drawn scenes with people, cars, dogs and packages, by day and night; drawn at the first call."""
    folder = cache / f"pictures-{SIZE[0]}x{SIZE[1]}-{_SEED}"
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:03}.jpg" for number in range(count)]
    for number, path in enumerate(paths):
        if not path.exists():
            picture, _ = random_picture(np.random.default_rng([_SEED, number]), *SIZE)
            growing = path.with_suffix(".new.jpg")
            cv2.imwrite(str(growing), picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
            growing.rename(path)
    return paths


def staged_pictures(drawn: Sequence[Path], folder: Path, name: str, count: int) -> list[Staged]:
    """`count` files of different bytes, spread over the cameras in turn."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = [path.read_bytes() for path in drawn]
    staged = []
    for number in range(count):
        path = folder / f"{name}-{number:05}.jpg"
        path.write_bytes(marked(contents[number % len(contents)], f"{name} {number}"))
        staged.append(Staged(path, CAMERAS[number % len(CAMERAS)]))
    return staged


def marked(jpeg: bytes, mark: str) -> bytes:
    """The same picture with a comment in it, so that its bytes are its own."""
    if not jpeg.startswith(b"\xff\xd8"):
        raise ValueError("this is no JPEG")
    comment = mark.encode()
    return jpeg[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + jpeg[2:]
