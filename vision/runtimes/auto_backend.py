"""PyTorch and TensorRT through ultralytics' AutoBackend: `.pt` and `.engine`.

AutoBackend is called directly, without its `warmup()`, `predict` or NMS, all of which import torchvision; the head's
answer goes through the same decoding as every other runtime's. A `.pt` file is a pickle, and unpickling a stranger's
file runs the stranger's code: ultralytics is told to load only the classes that it knows (`ULTRALYTICS_SAFE_LOAD`),
and weights are read from local files alone, which are to be trusted like any program.
"""

import importlib
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision.cores import usable_cores
from vision.errors import DeviceUnavailable, WeightsBroken
from vision.heads import Head, head_of
from vision.runtimes.environment import prepare_for_ultralytics
from vision.runtimes.metadata import input_spec
from vision.runtimes.onnx_runtime import first_line
from vision.runtimes.runtime import DEFAULT_CONFIDENCE, fill_blob, warm_up_shape

_BATCH = 8
"""Batches help PyTorch on either device; beyond 8 the gain on a processor is gone."""

_NEEDS = "needs PyTorch and ultralytics, which are not installed: install the extra 'gpu', or give ONNX weights"


class AutoBackendRuntime:
    """One `.pt` or `.engine` model; batches of frames, one batch at a time."""

    lanes = 1

    def __init__(
        self,
        path: Path,
        device: str,
        threads: int | None,
        cache_dir: Path,
        digest: str,
        *,
        long_side: int | None = None,
        remarks: tuple[str, ...] = (),
    ) -> None:
        """`device` is auto, cpu or cuda:N. Raises WeightsBroken and DeviceUnavailable."""
        self.kind = "tensorrt" if path.suffix == ".engine" else "pytorch"
        self.fingerprint = f"{digest[:12]}-{self.kind}"
        self.remarks = remarks
        cores = threads or usable_cores()
        self._torch, backend_class = _import_backend(path, cache_dir, cores)
        self.device = _device(self._torch, device, self.kind)
        if self.device == "cpu":
            self._torch.set_num_threads(cores)  # importing ultralytics may have set one
        self._lock = threading.Lock()
        try:
            self._backend = _load(backend_class, self._torch, path, self.device)
            metadata, declared, self._batch = _described(self._backend, self.kind)
            self.input_spec = input_spec(metadata, declared, long_side)
            height, width = warm_up_shape(self.input_spec)
            answer = self._answers(np.zeros((1, height, width, 3), np.uint8))
            self._head: Head = head_of(answer.shape, metadata)
        except ValueError as error:
            raise WeightsBroken(str(path), str(error)) from None
        except Exception as error:  # unpickling and CUDA raise anything
            raise WeightsBroken(str(path), f"ultralytics cannot load it: {first_line(error)}") from None
        self.names = self._head.names

    def run(self, stack: NDArray[np.uint8], confidence: float = DEFAULT_CONFIDENCE) -> list[NDArray[np.float32]]:
        shape = (stack.shape[1], stack.shape[2])
        boxes: list[NDArray[np.float32]] = []
        for start in range(0, len(stack), self._batch):
            answers = self._answers(stack[start : start + self._batch])
            boxes += [self._head.boxes(answer, confidence, shape) for answer in answers]
        return boxes

    def raw(self, stack: NDArray[np.uint8]) -> NDArray[Any]:
        """The head's own answers, for comparing runtimes."""
        return np.concatenate([self._answers(stack[index : index + 1]) for index in range(len(stack))])

    def close(self) -> None:
        with self._lock:
            self._backend = None
            if self.device != "cpu":
                self._torch.cuda.empty_cache()

    def _answers(self, stack: NDArray[np.uint8]) -> NDArray[Any]:
        with self._lock, self._torch.inference_mode():
            if self._backend is None:
                raise RuntimeError("this runtime is closed")
            answer = self._backend(self._blob(stack))
            while isinstance(answer, (list, tuple)):
                answer = answer[0]
            found: NDArray[Any] = answer.float().cpu().numpy()
            return found[: len(stack)].copy()

    def _blob(self, stack: NDArray[np.uint8]) -> Any:
        torch = self._torch
        if self.device == "cpu":
            blob = np.empty((len(stack), 3, *stack.shape[1:3]), np.float32)
            for frame, target in zip(stack, blob, strict=True):
                fill_blob(frame, target)
            return torch.from_numpy(blob).contiguous(memory_format=torch.channels_last)
        frames = torch.from_numpy(np.ascontiguousarray(stack)).to(self.device, non_blocking=True)
        frames = frames.permute(0, 3, 1, 2).flip(1)
        return (frames.half() if self._backend.fp16 else frames.float()).div_(255).contiguous()


def _import_backend(path: Path, cache_dir: Path, cores: int) -> tuple[Any, Any]:
    prepare_for_ultralytics(os.environ, cache_dir, cores)
    try:
        torch: Any = importlib.import_module("torch")
        backends: Any = importlib.import_module("ultralytics.nn.autobackend")
        if path.suffix == ".engine":
            importlib.import_module("tensorrt")
    except ImportError as error:
        package = (error.name or "").partition(".")[0]
        reason = "needs TensorRT, which is not installed" if package == "tensorrt" else _NEEDS
        raise WeightsBroken(str(path), f"a {path.suffix} file {reason}") from None
    return torch, backends.AutoBackend


def _device(torch: Any, device: str, kind: str) -> str:
    if device == "auto":
        device = "cuda:0" if torch.cuda.is_available() else "cpu"
    if device.startswith("cuda"):
        number = int(device.partition(":")[2] or 0)
        if not torch.cuda.is_available() or number >= torch.cuda.device_count():
            raise DeviceUnavailable(device, f"PyTorch sees {torch.cuda.device_count()} CUDA devices")
        return f"cuda:{number}"
    if kind == "tensorrt":
        raise DeviceUnavailable(device, "a TensorRT engine runs on CUDA only")
    return "cpu"


def _load(backend_class: Any, torch: Any, path: Path, device: str) -> Any:
    with torch.inference_mode(mode=False):
        # the one-to-many head, as exports have it: 0.6 to 0.8 mAP better than the end-to-end one, on any runtime
        backend = backend_class(
            str(path), device=torch.device(device), fp16=device != "cpu", end2end=False, verbose=False
        )
    backend.eval()
    return backend


def _described(backend: Any, kind: str) -> tuple[dict[str, Any], tuple[object, object], int]:
    """What the model says of itself, its declared height and width, and the batch it is run in."""
    if kind == "pytorch":
        model = backend.backend.model
        arguments = getattr(model, "args", {})
        metadata = {
            "names": dict(backend.names),
            "stride": backend.stride,
            "task": getattr(model, "task", "detect"),
            "imgsz": arguments.get("imgsz") if isinstance(arguments, dict) else getattr(arguments, "imgsz", None),
        }
        return metadata, (None, None), _BATCH
    metadata = dict(backend.metadata)
    metadata["names"] = dict(backend.names)
    height, width = (metadata.get("imgsz") or (None, None))[:2]
    declared = (None, None) if backend.dynamic else (height, width)
    return metadata, declared, max(1, int(backend.batch))
