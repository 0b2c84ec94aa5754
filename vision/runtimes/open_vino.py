"""OpenVINO: a `*_openvino_model` folder as ultralytics exports it, one stream a core.

Used directly: ultralytics' own backend compiles for the latency of one frame, which leaves a quarter of the
throughput on the table, and would bring PyTorch along.
"""

import importlib
import queue
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision.cores import usable_cores
from vision.errors import DeviceUnavailable, WeightsBroken
from vision.heads import Head, head_of
from vision.runtimes.lanes import Lanes
from vision.runtimes.metadata import input_spec, read_sidecar
from vision.runtimes.onnx_runtime import first_line
from vision.runtimes.runtime import DEFAULT_CONFIDENCE, fill_blob, warm_up_shape


class OpenVinoRuntime:
    """One OpenVINO model. `device` is auto, cpu, or intel:gpu and intel:npu by OpenVINO's own names."""

    kind = "openvino"

    def __init__(
        self, folder: Path, device: str, threads: int | None, digest: str, *, long_side: int | None = None
    ) -> None:
        self.remarks: tuple[str, ...] = ()
        self.fingerprint = f"{digest[:12]}-{self.kind}"
        self.device = "cpu" if device == "auto" else device
        lanes = threads or usable_cores()
        graph = _graph(folder)
        core = _core(folder)
        try:
            model = core.read_model(str(graph))
            compiled = core.compile_model(model, _device_name(core, self.device), _config(self.device, lanes))
            shape = compiled.input(0).get_partial_shape()
            declared = tuple(axis.get_length() if axis.is_static else None for axis in shape)
            self._batch = declared[0] or 1
            metadata = read_sidecar(folder / "metadata.yaml")
            self.input_spec = input_spec(metadata, (declared[2], declared[3]), long_side)
            self._requests: queue.LifoQueue[Any] = queue.LifoQueue()
            for _ in range(lanes):
                self._requests.put(compiled.create_infer_request())
            self._lanes = Lanes(lanes, "openvino")
            self._head = self._try_out(metadata)
        except DeviceUnavailable:
            raise
        except ValueError as error:
            raise WeightsBroken(str(folder), str(error)) from None
        except Exception as error:  # OpenVINO raises RuntimeError and its own kinds
            raise WeightsBroken(str(folder), f"OpenVINO cannot run it: {first_line(error)}") from None
        self.names = self._head.names

    @property
    def lanes(self) -> int:
        return self._lanes.count

    def run(self, stack: NDArray[np.uint8], confidence: float = DEFAULT_CONFIDENCE) -> list[NDArray[np.float32]]:
        shape = (stack.shape[1], stack.shape[2])
        return self._lanes.spread(lambda frame: self._head.boxes(self._one(frame), confidence, shape), stack)

    def raw(self, stack: NDArray[np.uint8]) -> NDArray[Any]:
        """The head's own answers, for comparing runtimes."""
        return np.stack([self._one(frame) for frame in stack])

    def close(self) -> None:
        self._lanes.close()

    def _one(self, frame: NDArray[np.uint8]) -> NDArray[Any]:
        blob = self._lanes.blob((self._batch, 3, *frame.shape[:2]), np.float32)
        fill_blob(frame, blob[0])
        request = self._requests.get()
        try:
            request.infer({0: blob}, share_inputs=True)
            answer: NDArray[Any] = request.get_output_tensor(0).data[0].copy()
            return answer
        finally:
            self._requests.put(request)

    def _try_out(self, metadata: dict[str, Any]) -> Head:
        height, width = warm_up_shape(self.input_spec)
        return head_of((1, *self._one(np.zeros((height, width, 3), np.uint8)).shape), metadata)


def _graph(folder: Path) -> Path:
    graphs = sorted(folder.glob("*.xml"))
    if len(graphs) != 1:
        raise WeightsBroken(str(folder), f"an OpenVINO folder holds one .xml file, this one {len(graphs)}")
    if not graphs[0].with_suffix(".bin").is_file():
        raise WeightsBroken(str(folder), f"{graphs[0].stem}.bin is missing beside {graphs[0].name}")
    return graphs[0]


def _core(folder: Path) -> Any:
    try:
        openvino: Any = importlib.import_module("openvino")
    except ImportError:
        raise WeightsBroken(str(folder), "OpenVINO weights need the package openvino, which is not installed") from None
    return openvino.Core()


def _device_name(core: Any, device: str) -> str:
    if device == "cpu":
        return "CPU"
    vendor, _, name = device.partition(":")
    if vendor != "intel" or not any(found.split(".")[0] == name.upper() for found in core.available_devices):
        raise DeviceUnavailable(device, f"OpenVINO finds {', '.join(core.available_devices)} here")
    return name.upper()


def _config(device: str, lanes: int) -> dict[str, Any]:
    if device != "cpu":
        return {"PERFORMANCE_HINT": "THROUGHPUT"}
    return {"NUM_STREAMS": lanes, "INFERENCE_NUM_THREADS": lanes, "INFERENCE_PRECISION_HINT": "f32"}
