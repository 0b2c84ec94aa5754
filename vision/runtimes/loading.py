"""From what the settings name to a runtime that answers."""

import hashlib
import logging
import re
import zipfile
from pathlib import Path

from vision.cores import usable_cores
from vision.errors import DeviceUnavailable, WeightsBroken, WeightsMissing
from vision.runtimes.environment import cuda_devices
from vision.runtimes.exporting import ExportFailed, ExportPlan, can_export, exported, fetched, has_tensorrt
from vision.runtimes.runtime import Runtime

_PUBLIC_NAME = re.compile(r"yolo[\w.-]{1,40}\.pt")
_DEVICE = re.compile(r"auto|cpu|cuda(:\d{1,2})?|intel:\w{1,8}")

_log = logging.getLogger(__name__)


def load_model(
    weights: str | Path,
    device: str = "auto",
    threads: int | None = None,
    cache_dir: str | Path = "data/models",
    *,
    long_side: int | None = None,
) -> Runtime:
    """A runtime for weights in any format, warmed up.

    `.onnx` runs on ONNX Runtime, a `*_openvino_model` folder on OpenVINO, `.engine` on TensorRT. A `.pt` is exported
    once (to ONNX for a processor, to TensorRT for a card where that is installed) and kept in `cache_dir`; where that
    fails it runs as it is, slower, and `remarks` says why. A bare public name such as `yolo26n.pt` is downloaded.
    `long_side` overrides the picture size that the weights were made for. A `.pt` is a pickle: give only files that
    you trust (see auto_backend). Raises WeightsMissing, WeightsBroken, DeviceUnavailable.
    """
    if not _DEVICE.fullmatch(device):
        raise DeviceUnavailable(device, "a device is auto, cpu, cuda:0, cuda:1 … or intel:gpu")
    cache = Path(cache_dir)
    path = _found(weights, cache)
    digest = weights_digest(path)
    if path.is_dir():
        from vision.runtimes.open_vino import OpenVinoRuntime

        return OpenVinoRuntime(path, device, threads, digest, long_side=long_side)
    if path.suffix.lower() == ".onnx":
        return _onnx(path, device, threads, digest, long_side=long_side)
    if path.suffix.lower() == ".pt":
        return _checkpoint(path, device, threads, cache, digest, long_side)
    return _auto_backend(path, device, threads, cache, digest, long_side=long_side)


def weights_digest(path: Path) -> str:
    """SHA-256 of a file, or of a folder's files in the order of their names."""
    if path.is_dir():
        inside = sorted(item for item in path.rglob("*") if item.is_file())
        return hashlib.sha256("".join(weights_digest(item) for item in inside).encode()).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _found(weights: str | Path, cache: Path) -> Path:
    path = Path(weights).expanduser()
    try:
        if path.is_dir():
            if path.name.endswith("_openvino_model"):
                return path
            raise WeightsBroken(str(weights), "this is a folder, and its name does not end in _openvino_model")
        if path.is_file():
            if path.suffix.lower() not in (".onnx", ".pt", ".engine"):
                raise WeightsBroken(str(weights), "weights are .onnx, .pt, .engine or a *_openvino_model folder")
            with path.open("rb") as file:
                if not file.read(1):
                    raise WeightsBroken(str(weights), "the file is empty (0 bytes)")
            return path
    except OSError as error:
        raise WeightsBroken(str(weights), f"the file cannot be read ({error.strerror})") from None
    if len(path.parts) != 1 or not _PUBLIC_NAME.fullmatch(path.name):
        raise WeightsMissing(str(weights), "put the file there, or set DETECTOR_WEIGHTS to where it is")
    return _downloaded(path.name, cache)


def _downloaded(name: str, cache: Path) -> Path:
    kept = cache / "weights" / name
    if kept.is_file():
        return kept
    if why_not := can_export():
        mend = f"fetching public weights needs ultralytics ({why_not}): install the extra 'gpu', or give ONNX weights"
        raise WeightsMissing(name, mend)
    try:
        return fetched(name, cache)
    except ExportFailed as error:
        mend = f"it could not be downloaded ({error.reason}); fetch it elsewhere and put it at {kept}"
        raise WeightsMissing(name, mend) from None


def _checkpoint(
    path: Path, device: str, threads: int | None, cache: Path, digest: str, long_side: int | None
) -> Runtime:
    """A `.pt`: on the device's fastest runtime if it can be exported, else as it is."""
    if not zipfile.is_zipfile(path):
        raise WeightsBroken(str(path), "this is no PyTorch checkpoint, or it is cut off")
    if why_not := can_export():
        raise WeightsBroken(str(path), f"a .pt file needs ultralytics ({why_not}); give ONNX weights instead")
    if device.startswith("cuda") and cuda_devices() == 0:
        raise DeviceUnavailable(device, "the driver shows this process no CUDA device")
    on_cuda = device.startswith("cuda") or (device == "auto" and cuda_devices() > 0)
    actual = ("cuda:0" if device == "auto" else device) if on_cuda else "cpu"
    if on_cuda and not has_tensorrt():
        remark = "TensorRT is not installed: the weights run on PyTorch in half precision"
        return _auto_backend(path, actual, threads, cache, digest, long_side=long_side, remarks=(remark,))
    plan = ExportPlan(path, digest, "engine" if on_cuda else "onnx", actual, long_side, threads or usable_cores())
    for last_try in (False, True):
        try:
            product = exported(plan, cache)
            if on_cuda:
                return _auto_backend(product, actual, threads, cache, digest, long_side=long_side)
            return _onnx(product, actual, threads, digest, long_side=long_side)
        except WeightsBroken as error:
            reason = f"what was exported does not run ({error.reason})"
            product.unlink(missing_ok=True)  # spoilt on the disk, or by another version: made anew once
            if last_try:
                break
        except ExportFailed as error:
            reason = f"the export to {plan.format} failed ({error.reason})"
            break
    _log.warning("%s: %s; running it on PyTorch, which is slower", path, reason)
    return _auto_backend(path, actual, threads, cache, digest, long_side=long_side, remarks=(reason,))


def _onnx(path: Path, device: str, threads: int | None, digest: str, *, long_side: int | None) -> Runtime:
    from vision.runtimes.onnx_runtime import OnnxRuntime

    return OnnxRuntime(path, device, threads, digest, long_side=long_side)


def _auto_backend(
    path: Path,
    device: str,
    threads: int | None,
    cache: Path,
    digest: str,
    *,
    long_side: int | None,
    remarks: tuple[str, ...] = (),
) -> Runtime:
    from vision.runtimes.auto_backend import AutoBackendRuntime

    return AutoBackendRuntime(path, device, threads, cache, digest, long_side=long_side, remarks=remarks)
