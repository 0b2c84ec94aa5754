"""Exporting a `.pt` once to the fastest runtime of its device, and keeping what came of it.

Kept by what it was made of (the weights' hash, the exporter's versions, the device, the size), made in a folder
beside and renamed at the end, so that a kept file is always whole. One process exports; others wait for it.
"""

import fcntl
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vision.runtimes.environment import prepare_for_ultralytics

ONNX_SECONDS = 600
ENGINE_SECONDS = 3600
"""TensorRT tries every kernel; a large model takes tens of minutes on a small card."""
FETCH_SECONDS = 1800
_ENGINE_BATCH = 16


class ExportFailed(Exception):
    """The export or download did not come to an end; the model may still run as it is."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """What to make of a checkpoint."""

    checkpoint: Path
    digest: str
    format: str
    """onnx or engine."""
    device: str
    long_side: int | None
    threads: int

    @property
    def key(self) -> str:
        """Names the result by everything that it depends on."""
        parts = [self.digest, self.format, str(self.long_side), *(_version(name) for name in ("ultralytics", "torch"))]
        if self.format == "engine":
            parts += [_version("tensorrt"), self.device, _card(self.device)]
        return f"{self.digest[:12]}-{hashlib.sha256('|'.join(parts).encode()).hexdigest()[:12]}"


def exported(plan: ExportPlan, cache_dir: Path) -> Path:
    """The exported file, made now if it was not kept. Raises ExportFailed; a failure is not kept."""
    folder = cache_dir / "exports"
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{plan.key}.{plan.format}"
    with _alone(folder / f"{plan.key}.lock"):
        if target.is_file():
            return target
        with _workshop(folder, plan.key) as workshop:
            copy = workshop / "model.pt"
            shutil.copyfile(plan.checkpoint, copy)
            request = {
                "task": "export",
                "checkpoint": str(copy),
                "format": plan.format,
                "long_side": plan.long_side,
                "batch": _ENGINE_BATCH,
                "device": plan.device,
            }
            seconds = ENGINE_SECONDS if plan.format == "engine" else ONNX_SECONDS
            os.replace(_ask_child(request, workshop, cache_dir, plan.threads, seconds, offline=True), target)
    return target


def fetched(name: str, cache_dir: Path) -> Path:
    """Public weights by their bare name, from the cache or the internet. Raises ExportFailed."""
    folder = cache_dir / "weights"
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / name
    with _alone(folder / f"{name}.lock"):
        if target.is_file():
            return target
        with _workshop(folder, name) as workshop:
            request = {"task": "fetch", "name": name, "folder": str(workshop)}
            os.replace(_ask_child(request, workshop, cache_dir, 1, FETCH_SECONDS, offline=False), target)
    return target


def can_export() -> str | None:
    """Why nothing can be exported here, or None."""
    missing = [name for name in ("torch", "ultralytics", "onnx") if importlib.util.find_spec(name) is None]
    return f"not installed: {', '.join(missing)}" if missing else None


def has_tensorrt() -> bool:
    return importlib.util.find_spec("tensorrt") is not None


def _ask_child(
    request: dict[str, Any], workshop: Path, cache_dir: Path, threads: int, seconds: float, *, offline: bool
) -> Path:
    environment = dict(os.environ)
    prepare_for_ultralytics(environment, cache_dir, threads, offline=offline)
    answer_file, log_file = workshop / "answer.json", workshop / "log"
    program = str(Path(__file__).with_name("export_child.py"))
    arguments = [sys.executable, "-P", program, json.dumps(request | {"answer": str(answer_file)})]
    with log_file.open("wb") as log:
        try:
            code = subprocess.run(
                arguments, env=environment, cwd=workshop, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                timeout=seconds, check=False,
            ).returncode  # fmt: skip
        except subprocess.TimeoutExpired:
            raise ExportFailed(f"it was not done after {seconds:.0f} s") from None
    if not answer_file.is_file():
        raise ExportFailed(f"the exporter ended with code {code}: {_last_words(log_file)}")
    answer = json.loads(answer_file.read_text(encoding="utf-8"))
    if "error" in answer:
        raise ExportFailed(_plain(answer["error"]))
    product = Path(answer["file"])
    if not product.is_file() or product.stat().st_size == 0:
        raise ExportFailed("the exporter wrote nothing")
    return product


@contextmanager
def _alone(lock_file: Path) -> Iterator[None]:
    """One process at a time; the lock goes with the process that holds it."""
    with lock_file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _workshop(folder: Path, key: str) -> Iterator[Path]:
    """A folder for the work; what a killed process left of the same work goes first (its lock is ours now)."""
    for left in folder.glob(f".making-{key}-*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f".making-{key}-", dir=folder) as workshop:
        yield Path(workshop)


def _version(package: str) -> str:
    for name in (package, f"{package}-opencv-headless", f"{package}-cu13", f"{package}-cu12"):
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return "none"


def _card(device: str) -> str:
    """The card's name and compute capability, which an engine is built for."""
    torch: Any = importlib.import_module("torch")
    number = int(device.partition(":")[2] or 0)
    return f"{torch.cuda.get_device_name(number)} {torch.cuda.get_device_capability(number)}"


def _plain(words: str) -> str:
    """Without terminal colours, in one line."""
    return " ".join(re.sub(r"\x1b\[[0-9;]*m", "", words).split())[:300]


def _last_words(log_file: Path) -> str:
    lines = log_file.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return _plain(lines[-1]) if lines else "it said nothing"
