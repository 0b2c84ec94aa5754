"""What light and the sensor do to a drawn picture: daylight, dusk, infra-red night, haze, blur and noise."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from demo.brush import Image

_SLACK = 64
_TILE_SIGMA = 64.0


@dataclass(frozen=True)
class Light:
    """How one picture is lit; gains are factors, `noise` and `offset` are grey levels of 255."""

    infrared: bool = False
    gain: float = 1.0
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    offset: float = 0.0
    noise: float = 2.5
    blur: float = 0.0
    falloff: float = 0.0


def daylight(rng: np.random.Generator) -> Light:
    warm = rng.uniform(-0.06, 0.06)
    haze = rng.uniform(15, 45) if rng.random() < 0.12 else 0.0
    gain = float(rng.uniform(0.72, 1.15)) * (1 - haze / 160)
    return Light(False, gain, (1 - warm, 1.0, 1 + warm), haze, float(rng.uniform(1, 5)), _blur(rng))


def night(rng: np.random.Generator) -> Light:
    """Two nights of three are seen by the camera's own infra-red lamps, in grey; the others by a street light."""
    noise, falloff = float(rng.uniform(4, 11)), float(rng.uniform(0.35, 0.75))
    if rng.random() < 0.67:
        gain, offset = float(rng.uniform(0.5, 0.95)), float(rng.uniform(0, 10))
        return Light(True, gain, offset=offset, noise=noise, blur=_blur(rng), falloff=falloff)
    gain, offset = float(rng.uniform(0.32, 0.55)), float(rng.uniform(0, 6))
    return Light(False, gain, (1.12, 0.98, 0.9), offset, noise, _blur(rng), falloff * 0.6)


def light_for(rng: np.random.Generator, dark: bool) -> Light:
    return night(rng) if dark else daylight(rng)


def _blur(rng: np.random.Generator) -> float:
    return float(rng.uniform(0.0011, 0.0022)) if rng.random() < 0.4 else 0.0


def apply_light(picture: Image, light: Light, rng: np.random.Generator) -> Image:
    """The picture as the sensor sees it, H×W×3 uint8 BGR."""
    height, width = picture.shape[:2]
    seen = picture
    if light.blur * height > 0.3:
        seen = cv2.GaussianBlur(seen, (0, 0), light.blur * height)
    if light.infrared:
        seen = cv2.cvtColor(seen, cv2.COLOR_BGR2GRAY)
        lamps = _falloff(height, width, round(light.falloff, 1), 1)
        seen = cv2.multiply(seen, lamps, scale=light.gain, dtype=cv2.CV_8U)
        return cv2.cvtColor(_noisy(seen, light, rng), cv2.COLOR_GRAY2BGR)
    gains = np.array([light.gain * part for part in light.tint])
    seen = cv2.transform(seen, np.hstack([np.diag(gains), np.zeros((3, 1))]))
    if light.falloff:
        seen = cv2.multiply(seen, _falloff(height, width, round(light.falloff, 1), 3), dtype=cv2.CV_8U)
    return _noisy(seen, light, rng)


def _noisy(picture: Image, light: Light, rng: np.random.Generator) -> Image:
    channels = 3 if picture.ndim == 3 else 1
    height, width = picture.shape[:2]
    tile = _noise_tile(height, width, channels)
    row, column = int(rng.integers(_SLACK)), int(rng.integers(_SLACK))
    noise = tile[row : row + height, column : column + width]
    return cv2.addWeighted(picture, 1.0, noise, light.noise / _TILE_SIGMA, light.offset, dtype=cv2.CV_8U)


@lru_cache(maxsize=6)
def _noise_tile(height: int, width: int, channels: int) -> NDArray[np.int16]:
    """Sensor noise, made once a size: drawing millions of normal numbers a picture would take most of its time."""
    shape = (height + _SLACK, width + _SLACK, channels)[: 2 if channels == 1 else 3]
    noise = np.random.default_rng(20260).standard_normal(shape, dtype=np.float32) * _TILE_SIGMA
    return noise.astype(np.int16)


@lru_cache(maxsize=24)
def _falloff(height: int, width: int, strength: float, channels: int) -> Image:
    """Lamps at the camera light the middle and leave the corners dark: factors of 1 falling to 1 - strength."""
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None] - 0.15
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    light: Image = 1 - np.float32(strength) * np.clip((x * x * 0.7 + y * y) / 1.6, 0, 1)
    return light if channels == 1 else cv2.merge([light] * channels)
