"""The runtimes against each other, and the way from weights to one of them."""

import os
import pickle
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import vision.runtimes.exporting
import vision.runtimes.loading
from tests.vision.small_models import LONG_SIDE, NAMES, picture_of_shapes
from vision.agreement import disagreements
from vision.errors import DeviceUnavailable, WeightsBroken, WeightsMissing
from vision.runtimes import Runtime, load_model
from vision.runtimes.auto_backend import AutoBackendRuntime
from vision.runtimes.exporting import ExportPlan, exported

PROJECT = Path(__file__).parents[2]
DEMO_WEIGHTS = PROJECT / "demo" / "weights" / "drawings.onnx"
PICTURES = np.stack([picture_of_shapes(seed) for seed in range(100, 108)])


def run_all(runtime: Runtime, confidence: float) -> list[NDArray[np.float32]]:
    boxes = runtime.run(PICTURES, confidence)
    assert sum(map(len, boxes)) > 50, "a comparison of nothing proves nothing"
    return boxes


@pytest.mark.parametrize("confidence", [0.1, 0.25, 0.6])
def test_all_runtimes_agree(
    exported_onnx: Path,
    pytorch_runtime: AutoBackendRuntime,
    openvino_folder: Path,
    model_cache: Path,
    confidence: float,
) -> None:
    onnx = run_all(load_model(exported_onnx, "cpu", 2, model_cache), confidence)
    pytorch = run_all(pytorch_runtime, confidence)
    openvino = run_all(load_model(openvino_folder, "cpu", 2, model_cache), confidence)
    assert disagreements(onnx, pytorch, confidence) == []
    assert disagreements(onnx, openvino, confidence) == []


def test_all_runtimes_say_the_same_of_the_model(
    exported_onnx: Path, pytorch_runtime: AutoBackendRuntime, openvino_folder: Path, model_cache: Path
) -> None:
    runtimes: list[Runtime] = [
        load_model(exported_onnx, "cpu", 2, model_cache),
        pytorch_runtime,
        load_model(openvino_folder, "cpu", 2, model_cache),
    ]
    assert {runtime.names for runtime in runtimes} == {NAMES}
    assert len({runtime.input_spec for runtime in runtimes}) == 1
    assert [runtime.kind for runtime in runtimes] == ["onnxruntime", "pytorch", "openvino"]


def test_the_demos_own_weights_agree_on_onnx_runtime_and_openvino(tmp_path: Path) -> None:
    import openvino
    import yaml  # type: ignore[import-untyped]

    onnx = load_model(DEMO_WEIGHTS, "cpu", 2, tmp_path)
    folder = tmp_path / "demo_openvino_model"
    folder.mkdir()
    openvino.save_model(openvino.convert_model(DEMO_WEIGHTS), folder / "demo.xml", compress_to_fp16=False)
    metadata = {"names": list(onnx.names), "stride": 32, "imgsz": [onnx.input_spec.long_side] * 2}
    (folder / "metadata.yaml").write_text(yaml.safe_dump(metadata))
    same = load_model(folder, "cpu", 2, tmp_path)
    ours, theirs = onnx.run(PICTURES, 0.05), same.run(PICTURES, 0.05)
    assert disagreements(ours, theirs, 0.05) == []


def test_a_batch_answers_as_its_frames_do_alone(pytorch_runtime: AutoBackendRuntime) -> None:
    together = pytorch_runtime.run(np.concatenate([PICTURES, PICTURES[:3]]), 0.25)
    alone = [pytorch_runtime.run(picture[np.newaxis], 0.25)[0] for picture in (*PICTURES, *PICTURES[:3])]
    assert disagreements(together, alone, 0.25) == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
def test_an_end_to_end_export_is_read_as_it_stands(checkpoint: Path, tmp_path: Path, model_cache: Path) -> None:
    from ultralytics import YOLO

    copy = tmp_path / "small.pt"
    shutil.copyfile(checkpoint, copy)
    exported = YOLO(str(copy)).export(format="onnx", imgsz=LONG_SIDE, dynamic=True, nms=False, simplify=False)
    runtime = load_model(exported, "cpu", 2, model_cache)
    backend = _end_to_end_backend(copy)
    for picture, rows in zip(PICTURES, runtime.run(PICTURES, 0.3), strict=True):
        expected = backend(picture)
        inside = _with_area_inside(expected[expected[:, 4] >= 0.3])
        assert len(rows) == pytest.approx(len(inside), abs=1)
        assert np.sort(rows[:20, 4]) == pytest.approx(np.sort(inside[:20, 4]), abs=0.02)


def test_a_checkpoint_is_exported_once_and_kept(checkpoint: Path, exported_onnx: Path, model_cache: Path) -> None:
    before = exported_onnx.stat()
    runtime = load_model(checkpoint, "auto", 2, model_cache)
    assert runtime.kind == "onnxruntime"
    assert runtime.remarks == ()
    assert exported_onnx.stat().st_mtime_ns == before.st_mtime_ns
    assert list(exported_onnx.parent.glob("*.onnx")) == [exported_onnx]


def test_the_fingerprint_of_an_export_is_that_of_its_checkpoint(
    checkpoint: Path, exported_onnx: Path, model_cache: Path
) -> None:
    digest = vision.runtimes.loading.weights_digest(checkpoint)
    assert load_model(checkpoint, "cpu", 2, model_cache).fingerprint == f"{digest[:12]}-onnxruntime"


def test_nothing_is_written_beside_the_checkpoint(checkpoint: Path, exported_onnx: Path) -> None:
    assert not checkpoint.with_suffix(".onnx").exists()
    assert not list(exported_onnx.parent.glob(".making-*"))


def test_what_a_killed_or_spoilt_export_left_is_made_good(
    checkpoint: Path, exported_onnx: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "exports" / exported_onnx.name
    left = kept.parent / f".making-{exported_onnx.stem}-dead"
    left.mkdir(parents=True)
    (left / "half.onnx").write_bytes(b"half")
    kept.write_bytes(exported_onnx.read_bytes()[:1000])
    runtime = load_model(checkpoint, "cpu", 2, tmp_path)
    assert (runtime.kind, runtime.remarks) == ("onnxruntime", ())
    assert kept.stat().st_size > 1_000_000
    assert not left.exists()


def test_a_failed_export_leaves_the_checkpoint_running_and_says_why(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vision.runtimes.exporting, "ONNX_SECONDS", 0.01)
    runtime = load_model(checkpoint, "cpu", 2, tmp_path)
    assert runtime.kind == "pytorch"
    assert "the export to onnx failed" in runtime.remarks[0]
    assert sum(map(len, runtime.run(PICTURES))) > 50
    assert not list((tmp_path / "exports").glob("*.onnx"))


@pytest.mark.parametrize("share", [0.0001, 0.5, 0.999])
def test_a_truncated_checkpoint_is_refused_at_once(checkpoint: Path, tmp_path: Path, share: float) -> None:
    data = checkpoint.read_bytes()
    (tmp_path / "broken.pt").write_bytes(data[: int(len(data) * share)])
    with pytest.raises(WeightsBroken, match="cut off"):
        load_model(tmp_path / "broken.pt", "cpu", 2, tmp_path)


class _Intruder:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (self.path,)


def test_code_hidden_in_a_checkpoint_does_not_run(tmp_path: Path) -> None:
    import torch

    proof = tmp_path / "was-here"
    torch.save({"model": _Intruder(str(proof))}, tmp_path / "evil.pt")
    with pytest.raises(WeightsBroken):
        load_model(tmp_path / "evil.pt", "cpu", 2, tmp_path)
    assert not proof.exists()


def test_missing_weights_say_where_to_put_them(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="put the file there") as caught:
        load_model(tmp_path / "none.onnx", "cpu", 1, tmp_path)
    assert caught.value.mend


def test_public_weights_that_cannot_be_fetched_say_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(tmp_path))
    with pytest.raises(WeightsMissing, match="could not be downloaded") as caught:
        load_model("yolo26n.pt", "cpu", 1, tmp_path)
    assert str(tmp_path / "weights" / "yolo26n.pt") in caught.value.mend


def test_public_weights_already_there_are_not_fetched(checkpoint: Path, exported_onnx: Path, tmp_path: Path) -> None:
    for file, folder, name in ((checkpoint, "weights", "yolo26n.pt"), (exported_onnx, "exports", exported_onnx.name)):
        (tmp_path / folder).mkdir()
        shutil.copyfile(file, tmp_path / folder / name)
    assert load_model("yolo26n.pt", "cpu", 2, tmp_path).names == NAMES


@pytest.mark.parametrize("name", ["weights.tflite", "weights", "weights.onnx.zip"])
def test_formats_that_are_not_served_are_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x" * 100)
    with pytest.raises(WeightsBroken, match=r"weights are \.onnx"):
        load_model(tmp_path / name, "cpu", 1, tmp_path)


def test_a_folder_that_is_no_export_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsBroken, match="_openvino_model"):
        load_model(tmp_path, "cpu", 1, tmp_path)


@pytest.mark.parametrize("missing", ["*.xml", "*.bin"])
def test_an_incomplete_openvino_folder_is_refused(openvino_folder: Path, tmp_path: Path, missing: str) -> None:
    folder = tmp_path / "x_openvino_model"
    shutil.copytree(openvino_folder, folder)
    next(folder.glob(missing)).unlink()
    with pytest.raises(WeightsBroken):
        load_model(folder, "cpu", 1, tmp_path)


def test_a_damaged_openvino_folder_is_refused(openvino_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "x_openvino_model"
    shutil.copytree(openvino_folder, folder)
    next(folder.glob("*.xml")).write_text("<net")
    with pytest.raises(WeightsBroken, match="OpenVINO cannot run it"):
        load_model(folder, "cpu", 1, tmp_path)


def test_an_engine_without_tensorrt_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "m.engine").write_bytes(b"engine")
    with pytest.raises(WeightsBroken, match="TensorRT"):
        load_model(tmp_path / "m.engine", "cuda:0", 1, tmp_path)


@pytest.mark.parametrize("device", ["gpu", "cuda:x", "", "cpu; rm -rf /", "cuda:0:1"])
def test_a_device_nobody_knows_is_refused(tmp_path: Path, device: str) -> None:
    with pytest.raises(DeviceUnavailable, match="a device is"):
        load_model(tmp_path / "m.onnx", device, 1, tmp_path)


def test_cuda_asked_for_by_name_and_absent_is_said(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(DeviceUnavailable, match="no CUDA device"):
        load_model(checkpoint, "cuda:0", 1, tmp_path)


def test_onnx_weights_need_no_pytorch(exported_onnx: Path, tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules.update(torch=None, ultralytics=None, openvino=None, onnx=None)\n"
        "from vision.runtimes import load_model\n"
        f"print(load_model({str(exported_onnx)!r}, 'cpu', 1, {str(tmp_path)!r}).kind)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "onnxruntime"


def test_a_checkpoint_without_pytorch_is_refused_in_words(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vision.runtimes.loading, "can_export", lambda: "not installed: torch, ultralytics")
    with pytest.raises(WeightsBroken, match="give ONNX weights"):
        load_model(checkpoint, "cpu", 1, tmp_path)


@pytest.mark.parametrize(
    "error",
    [
        WeightsMissing("yolo26n.pt", "put it there"),
        WeightsBroken("/weights/x.onnx", "it is truncated"),
        DeviceUnavailable("cuda:0", "no driver"),
    ],
)
def test_the_errors_survive_pickling(error: WeightsMissing | WeightsBroken | DeviceUnavailable) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.reason, again.mend) == (type(error), str(error), error.reason, error.mend)


def test_two_who_want_an_export_make_it_once(checkpoint: Path, tmp_path: Path) -> None:
    plan = ExportPlan(checkpoint, "f" * 64, "onnx", "cpu", None, 1)
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda _: exported(plan, tmp_path), range(2)))
    assert results[0] == results[1]
    assert results[0].stat().st_nlink == 1
    assert len(list((tmp_path / "exports").glob("*.onnx"))) == 1


def _end_to_end_backend(path: Path) -> Any:
    """ultralytics' own end-to-end head on one letterboxed picture."""
    import torch
    from ultralytics.nn.autobackend import AutoBackend

    backend = AutoBackend(str(path), device=torch.device("cpu"), end2end=True, verbose=False)

    def answer(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        with torch.inference_mode():
            blob = torch.from_numpy(picture[..., ::-1].copy()).permute(2, 0, 1)[None].float() / 255
            rows: NDArray[np.float32] = backend(blob)[0][0].numpy()
            return rows

    return answer


def _with_area_inside(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = PICTURES.shape[1:3]
    x, y = np.clip(rows[:, [0, 2]], 0, width), np.clip(rows[:, [1, 3]], 0, height)
    return rows[(x[:, 1] > x[:, 0]) & (y[:, 1] > y[:, 0])]
