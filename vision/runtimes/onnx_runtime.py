"""ONNX Runtime: the lean default, which needs neither PyTorch nor ultralytics.

On the processor every frame is computed by one thread, as many at once as there are cores: one session with one
intra-op thread, called from all lanes together, which measures the same as a session a core and holds the weights once.
On CUDA whole batches go through one call.
"""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from vision.cores import usable_cores
from vision.errors import DeviceUnavailable, WeightsBroken
from vision.heads import Head, head_of
from vision.runtimes.environment import cuda_devices
from vision.runtimes.lanes import Lanes
from vision.runtimes.metadata import input_spec
from vision.runtimes.runtime import DEFAULT_CONFIDENCE, fill_blob, warm_up_shape

_LARGEST_CUDA_BATCH = 16

_log = logging.getLogger(__name__)


class OnnxRuntime:
    """One `.onnx` model."""

    kind = "onnxruntime"

    def __init__(
        self,
        path: Path,
        device: str,
        threads: int | None,
        digest: str,
        *,
        long_side: int | None = None,
        remarks: tuple[str, ...] = (),
    ) -> None:
        """`device` is auto, cpu or cuda:N. Raises WeightsBroken and DeviceUnavailable."""
        self.remarks = remarks
        self.fingerprint = f"{digest[:12]}-{self.kind}"
        self._session = _session(path, device)
        self.device = _device_of(self._session, device)
        try:
            self._input, self._element, self._batch, declared = _input_of(self._session)
            metadata = self._session.get_modelmeta().custom_metadata_map
            self.input_spec = input_spec(metadata, declared, long_side)
            self._head = self._try_out(metadata)
        except ValueError as error:
            raise WeightsBroken(str(path), str(error)) from None
        except Exception as error:  # ONNX Runtime's errors share no base class but Exception
            raise WeightsBroken(str(path), f"it does not run: {first_line(error)}") from None
        self.names = self._head.names
        self._lanes = Lanes(1 if self.device != "cpu" else threads or usable_cores(), "onnx")

    @property
    def lanes(self) -> int:
        return self._lanes.count

    def run(self, stack: NDArray[np.uint8], confidence: float = DEFAULT_CONFIDENCE) -> list[NDArray[np.float32]]:
        shape = (stack.shape[1], stack.shape[2])
        if self.device == "cpu" and self._batch == 1:
            return self._lanes.spread(lambda frame: self._head.boxes(self._one(frame), confidence, shape), stack)
        boxes: list[NDArray[np.float32]] = []
        size = self._batch if self._batch > 0 else _LARGEST_CUDA_BATCH
        for start in range(0, len(stack), size):
            answers = self._many(stack[start : start + size])
            boxes += [self._head.boxes(answer, confidence, shape) for answer in answers]
        return boxes

    def raw(self, stack: NDArray[np.uint8]) -> NDArray[Any]:
        """The head's own answers, for comparing runtimes."""
        return np.stack([self._many(stack[index : index + 1])[0] for index in range(len(stack))])

    def close(self) -> None:
        self._lanes.close()

    def _one(self, frame: NDArray[np.uint8]) -> NDArray[Any]:
        blob = self._lanes.blob((1, 3, *frame.shape[:2]), self._element)
        fill_blob(frame, blob[0])
        answer: NDArray[Any] = self._session.run(None, {self._input: blob})[0][0]
        return answer

    def _many(self, stack: NDArray[np.uint8]) -> NDArray[Any]:
        """A batch in one call; a graph exported for more frames than these gets empty ones to fill it."""
        count = max(len(stack), self._batch)
        blob = np.zeros((count, 3, *stack.shape[1:3]), self._element)
        for frame, target in zip(stack, blob, strict=False):
            fill_blob(frame, target)
        answers: NDArray[Any] = self._session.run(None, {self._input: blob})[0]
        return answers[: len(stack)]

    def _try_out(self, metadata: dict[str, str]) -> Head:
        height, width = warm_up_shape(self.input_spec)
        return head_of(self._many(np.zeros((1, height, width, 3), np.uint8)).shape, metadata)


def _session(path: Path, device: str) -> Any:
    providers = _providers(device)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.enable_mem_pattern = False  # a plan for every frame shape costs memory and gains nothing
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # as above
        raise WeightsBroken(str(path), f"not an ONNX model that can be loaded: {first_line(error)}") from None


def _providers(device: str) -> list[Any]:
    has_cuda = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    if device.startswith("cuda") and not has_cuda:
        raise DeviceUnavailable(device, "this ONNX Runtime is built without CUDA (install onnxruntime-gpu instead)")
    if device == "cpu" or not has_cuda or (device == "auto" and cuda_devices() == 0):
        return ["CPUExecutionProvider"]
    number = int(device.partition(":")[2] or 0)
    # an exhaustive search for the best convolution would run anew for every frame shape
    cuda = ("CUDAExecutionProvider", {"device_id": number, "cudnn_conv_algo_search": "HEURISTIC"})
    return [cuda, "CPUExecutionProvider"]


def _device_of(session: Any, asked: str) -> str:
    if session.get_providers()[0] == "CUDAExecutionProvider":
        return asked if asked.startswith("cuda:") else "cuda:0"
    if asked.startswith("cuda"):
        raise DeviceUnavailable(asked, "ONNX Runtime could not open it (driver or CUDA libraries missing)")
    return "cpu"


def _input_of(session: Any) -> tuple[str, type[np.floating[Any]], int, tuple[object, object]]:
    """Name, element type, batch (0: any; 1 where the processor may choose), declared height and width."""
    inputs = session.get_inputs()
    if len(inputs) != 1 or len(inputs[0].shape) != 4:
        raise ValueError("it does not take one batch of pictures, as a YOLO detector does")
    elements: dict[str, type[np.floating[Any]]] = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
    element = elements.get(inputs[0].type)
    batch, channels, height, width = inputs[0].shape
    if element is None:
        raise ValueError(f"it takes {inputs[0].type}, not floating-point pictures")
    if isinstance(channels, int) and channels != 3:
        raise ValueError(f"it takes pictures of {channels} channels, not 3")
    on_processor = session.get_providers()[0] == "CPUExecutionProvider"
    fixed = batch if isinstance(batch, int) and batch > 0 else (1 if on_processor else 0)
    return inputs[0].name, element, fixed, (height, width)


def first_line(error: Exception) -> str:
    """An error's first line, short enough for a status page."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:240]
