"""What an export says of itself (ultralytics writes it into every format), read with distrust."""

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from vision.letterbox import InputSpec

DEFAULT_LONG_SIDE = 640
DEFAULT_STRIDE = 32
_LARGEST_SIDE = 8192


def input_spec(metadata: Mapping[str, Any], declared: tuple[object, object], long_side: int | None = None) -> InputSpec:
    """The input that a model takes: `declared` is its height and width, numbers where they are fixed.

    Raises ValueError for sizes that no picture fits into.
    """
    stride = max(_number(metadata.get("stride")) or DEFAULT_STRIDE, DEFAULT_STRIDE)
    height, width = declared
    if isinstance(height, int) and isinstance(width, int) and height > 0 and width > 0:
        _refuse_if_absurd(height, width)
        return InputSpec(long_side=max(height, width), stride=1, static=(height, width))
    longest = long_side or _longest(metadata.get("imgsz")) or DEFAULT_LONG_SIDE
    _refuse_if_absurd(longest, longest)
    return InputSpec(long_side=-(-longest // stride) * stride, stride=stride)


def _longest(written: object) -> int | None:
    if isinstance(written, str):
        try:
            written = ast.literal_eval(written)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return None
    if isinstance(written, (list, tuple)):
        return max((_number(side) or 0 for side in written), default=0) or None
    return _number(written)


def _number(written: object) -> int | None:
    try:
        return int(str(written)) if written is not None else None
    except ValueError:
        return None


def _refuse_if_absurd(height: int, width: int) -> None:
    if not (DEFAULT_STRIDE <= height <= _LARGEST_SIDE and DEFAULT_STRIDE <= width <= _LARGEST_SIDE):
        raise ValueError(f"it takes pictures of {width}×{height}, which is no camera's")


def read_sidecar(path: Path) -> dict[str, Any]:
    """The `metadata.yaml` beside an export; empty where there is none."""
    try:
        written = yaml.safe_load(path.read_text(encoding="utf-8", errors="replace"))
    except FileNotFoundError:
        return {}
    except yaml.YAMLError:
        raise ValueError("its metadata.yaml cannot be read") from None
    return written if isinstance(written, dict) else {}
