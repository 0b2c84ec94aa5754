"""Models on devices: one interface over ONNX Runtime, OpenVINO, PyTorch and TensorRT, each imported when used."""

from vision.runtimes.loading import load_model, weights_digest
from vision.runtimes.runtime import DEFAULT_CONFIDENCE, Runtime

__all__ = ["DEFAULT_CONFIDENCE", "Runtime", "load_model", "weights_digest"]
