"""Models that several tests of runtimes share, made once a session."""

from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from tests.vision.small_models import LONG_SIDE, NAMES, yolo26_checkpoint
from vision.runtimes.auto_backend import AutoBackendRuntime
from vision.runtimes.exporting import ExportPlan, exported
from vision.runtimes.loading import weights_digest


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def checkpoint(model_cache: Path) -> Path:
    """A YOLO26n as `.pt`."""
    return yolo26_checkpoint(model_cache / "small.pt", model_cache)


@pytest.fixture(scope="session")
def exported_onnx(checkpoint: Path, model_cache: Path) -> Path:
    """The same weights as ONNX, exported the way the system does it."""
    return exported(ExportPlan(checkpoint, weights_digest(checkpoint), "onnx", "cpu", None, 2), model_cache)


@pytest.fixture(scope="session")
def pytorch_runtime(checkpoint: Path, model_cache: Path) -> AutoBackendRuntime:
    """The same weights as they are, on PyTorch."""
    return AutoBackendRuntime(checkpoint, "cpu", 1, model_cache, weights_digest(checkpoint))


@pytest.fixture(scope="session")
def openvino_folder(exported_onnx: Path, model_cache: Path) -> Path:
    """The same weights for OpenVINO."""
    import openvino

    folder = model_cache / "small_openvino_model"
    folder.mkdir()
    openvino.save_model(openvino.convert_model(exported_onnx), folder / "small.xml", compress_to_fp16=False)
    metadata = {"names": dict(enumerate(NAMES)), "stride": 32, "task": "detect", "imgsz": [LONG_SIDE, LONG_SIDE]}
    (folder / "metadata.yaml").write_text(yaml.safe_dump(metadata))
    return folder
