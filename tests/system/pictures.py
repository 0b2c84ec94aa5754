"""Uploads for system tests: drawn pictures with and without somebody in them, no two of the same bytes."""

import os
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from demo.cameras import CAMERAS
from demo.clips import encode_clip
from demo.light import light_for
from demo.scenes import Figure, Scene
from demo.stories import delivery


@cache
def scene_pictures() -> tuple[bytes, bytes]:
    """Two people close to the camera by day, and the same place empty."""
    scene = Scene(CAMERAS["Backyard"])
    rng = np.random.default_rng(7)
    people = [Figure("person", side, scene.view.nearest * 1.3, look) for side, look in ((-0.5, 1), (0.6, 3))]
    with_people, _ = scene.draw(rng, people, light_for(rng, False))
    empty, _ = scene.draw(rng, [], light_for(rng, False))
    return _jpeg(with_people), _jpeg(empty)


def picture(number: int, *, people: bool = True) -> bytes:
    """One upload; a comment with its number makes its bytes its own."""
    return _numbered(scene_pictures()[0 if people else 1], number)


@cache
def _drawn(kinds: tuple[str, ...]) -> bytes:
    scene = Scene(CAMERAS["Backyard"])
    rng = np.random.default_rng(7)
    places = zip(kinds, (-0.6, 0.5, 1.4), range(1, 4), strict=False)
    figures = [Figure(kind, side, scene.view.nearest * 1.4, look) for kind, side, look in places]
    return _jpeg(scene.draw(rng, figures, light_for(rng, False))[0])


def drawn(number: int, *kinds: str) -> bytes:
    """One upload with up to three of `person`, `car`, `dog` side by side by day."""
    return _numbered(_drawn(kinds), number)


def _numbered(data: bytes, number: int) -> bytes:
    comment = f"upload {number}".encode()
    return data[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + data[2:]


def upload(folder: Path, name: str, data: bytes) -> Path:
    """As a careful camera does: written under a hidden name, then renamed."""
    folder.mkdir(parents=True, exist_ok=True)
    hidden = folder / f".{name}.part"
    hidden.write_bytes(data)
    os.rename(hidden, folder / name)
    return folder / name


def _jpeg(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 88])[1].tobytes()


@cache
def clip() -> bytes:
    """A courier's visit of 16 seconds as MP4."""
    scene = Scene(CAMERAS["Front Door"])
    rng = np.random.default_rng(3)
    return encode_clip(delivery(rng, scene.view.nearest), scene, light_for(rng, False), rng, "TEST")
