"""From the weights of a model to one that answers, or to the reason why there is none."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vision.zoo.ultralytics_family
from domain.model_registry import REGISTRY
from schemas.model import ModelFamily
from tests.vision.pictures import jpeg, scene
from tests.vision.small_models import LONG_SIDE, NAMES, picture_of_shapes
from tests.vision.zoo_models import PICTURE, shelf, weights
from vision.errors import InferenceFailed, UnreadablePicture
from vision.zoo.errors import ModelUnavailable
from vision.zoo.shelf import LOADERS


def test_without_weights_the_reason_says_what_to_put_where(tmp_path: Path) -> None:
    look = shelf(tmp_path).look("yolo11-face")
    assert look.reason is not None
    assert "put yolo11-face.onnx or yolo11-face.pt there" in look.reason
    assert "AdamCodd/YOLOv11n-face-detection" in look.reason
    assert (look.path, look.stamp) == (tmp_path / "zoo" / "yolo11-face.onnx", None)


@pytest.mark.parametrize("name", [model.name for model in REGISTRY if model.family not in LOADERS])
def test_a_family_without_a_loader_says_so_whatever_lies_there(tmp_path: Path, name: str) -> None:
    (tmp_path / "zoo" / name).mkdir(parents=True)
    reason = shelf(tmp_path).look(name).reason
    assert reason is not None
    assert "no loader" in reason


def test_every_model_of_the_ultralytics_family_has_a_loader() -> None:
    assert [model.name for model in REGISTRY if model.family is ModelFamily.ULTRALYTICS] == [
        "yolo11-license-plate",
        "yolo11-face",
        "yolo26-general",
        "yolo-world-s",
        "vehicle-damage-detection",
    ]


def test_an_onnx_model_loads_runs_and_is_measured(tmp_path: Path) -> None:
    weights(tmp_path / "zoo" / "yolo11-face.onnx")
    loaded = shelf(tmp_path).load("yolo11-face")
    assert (loaded.model.device, loaded.model.kind) == ("cpu", "onnxruntime")
    assert loaded.footprint_mb is not None
    assert loaded.footprint_mb >= 1
    person, dog = loaded.model.run(PICTURE)
    assert person.object_type == "person"
    assert person.confidence == pytest.approx(0.9)
    assert person.bbox.model_dump() == pytest.approx({"x": 0, "y": 0, "width": 640, "height": 360})
    assert dog.object_type == "dog"
    assert len(loaded.model.run(PICTURE, 0.5)) == 1


def test_bytes_paths_and_grey_arrays_are_pictures_too(tmp_path: Path) -> None:
    weights(tmp_path / "zoo" / "yolo11-face.onnx")
    model = shelf(tmp_path).load("yolo11-face").model
    data = jpeg(scene(720, 1280))
    (tmp_path / "picture.jpg").write_bytes(data)
    grey = np.zeros((720, 1280), np.uint8)
    for image in (data, tmp_path / "picture.jpg", str(tmp_path / "picture.jpg"), grey, grey[..., None]):
        assert model.run(image) == model.run(PICTURE)


def test_what_is_no_picture_is_the_callers_fault(tmp_path: Path) -> None:
    weights(tmp_path / "zoo" / "yolo11-face.onnx")
    model = shelf(tmp_path).load("yolo11-face").model
    with pytest.raises(UnreadablePicture):
        model.run(b"no picture")
    with pytest.raises(ValueError, match="no picture"):
        model.run(np.zeros((9, 9, 3)))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="3 channels"):
        model.run(np.zeros((9, 9, 2), np.uint8))


def test_an_unloaded_model_runs_no_more(tmp_path: Path) -> None:
    weights(tmp_path / "zoo" / "yolo11-face.onnx")
    stand = shelf(tmp_path)
    model = stand.load("yolo11-face").model
    stand.unload(model)
    with pytest.raises(InferenceFailed, match="unloaded"):
        model.run(PICTURE)


def test_a_checkpoint_loads_and_finds_something(
    checkpoint: Path, exported_onnx: Path, model_cache: Path, tmp_path: Path
) -> None:
    (tmp_path / "zoo").mkdir()
    (tmp_path / "zoo" / "yolo26-general.pt").write_bytes(checkpoint.read_bytes())
    (tmp_path / "cache").symlink_to(model_cache)  # the export is there already
    model = shelf(tmp_path).load("yolo26-general").model
    found = model.run(picture_of_shapes(100), 0.3)
    assert found
    assert {one.object_type for one in found} <= set(NAMES)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_yolo_world_finds_the_classes_that_its_file_holds(model_cache: Path, tmp_path: Path) -> None:
    (tmp_path / "zoo").mkdir()
    small_world(tmp_path / "zoo" / "yolo-world-s.pt", model_cache)
    model = shelf(tmp_path).load("yolo-world-s").model
    found = model.run(picture_of_shapes(100), 0.0)
    assert found
    assert {one.object_type for one in found} <= set(NAMES)


def test_a_checkpoint_without_pytorch_is_not_available_and_says_how_to_mend_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "zoo").mkdir()
    (tmp_path / "zoo" / "yolo11-face.pt").write_bytes(b"x")
    monkeypatch.setattr(vision.zoo.ultralytics_family, "can_export", lambda: "not installed: torch, ultralytics")
    reason = shelf(tmp_path).look("yolo11-face").reason
    assert reason is not None
    assert "install the extra 'gpu', or give an .onnx file" in reason
    weights(tmp_path / "zoo" / "yolo11-face.onnx")
    assert shelf(tmp_path).look("yolo11-face").reason is None


@pytest.mark.parametrize("content", [b"", b"garbage" * 1000])
@pytest.mark.parametrize("suffix", [".onnx", ".pt"])
def test_corrupted_weights_are_refused_with_the_reason_and_without_their_folder(
    tmp_path: Path, content: bytes, suffix: str
) -> None:
    (tmp_path / "zoo").mkdir()
    (tmp_path / "zoo" / f"yolo11-face{suffix}").write_bytes(content)
    with pytest.raises(ModelUnavailable) as caught:
        shelf(tmp_path).load("yolo11-face")
    assert caught.value.reason.startswith(f"yolo11-face{suffix}: ")
    assert str(tmp_path) not in caught.value.reason
    assert "DETECTOR_WEIGHTS" not in caught.value.reason


def test_a_model_for_another_task_is_refused_by_name(tmp_path: Path) -> None:
    weights(tmp_path / "zoo" / "yolo11-face.onnx", task="classify")
    with pytest.raises(ModelUnavailable, match="task 'classify'"):
        shelf(tmp_path).load("yolo11-face")


class _Intruder:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (self.path,)


def test_code_hidden_in_a_checkpoint_does_not_run(tmp_path: Path) -> None:
    import torch

    proof = tmp_path / "was-here"
    (tmp_path / "zoo").mkdir()
    torch.save({"model": _Intruder(str(proof))}, tmp_path / "zoo" / "yolo11-face.pt")
    with pytest.raises(ModelUnavailable):
        shelf(tmp_path).load("yolo11-face")
    assert not proof.exists()


def test_a_chosen_path_out_of_the_folder_is_never_opened(tmp_path: Path) -> None:
    weights(tmp_path / "outside.onnx")
    stand = shelf(tmp_path, yolo11_face="../outside.onnx")
    assert "MODEL_ZOO_FILES" in (stand.look("yolo11-face").reason or "")
    with pytest.raises(ModelUnavailable, match="relative to it"):
        stand.load("yolo11-face")


def test_a_loader_that_fails_in_its_own_way_is_a_reason_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(*_: object) -> None:
        raise MemoryError("out of memory")

    weights(tmp_path / "zoo" / "yolo11-face.onnx")
    monkeypatch.setattr(vision.zoo.ultralytics_family, "load_model", no_memory)
    with pytest.raises(ModelUnavailable, match="MemoryError: out of memory"):
        shelf(tmp_path).load("yolo11-face")


def small_world(path: Path, cache_dir: Path) -> Path:
    """An untrained YOLO-World with four classes' embeddings saved in it, as `set_classes` would leave them."""
    from vision.runtimes.environment import prepare_for_ultralytics

    prepare_for_ultralytics(os.environ, cache_dir, 2)
    import torch
    from ultralytics.nn.tasks import WorldModel

    torch.manual_seed(11)
    model = WorldModel("yolov8n-worldv2.yaml", ch=3, nc=len(NAMES), verbose=False)
    model.names = dict(enumerate(NAMES))
    model.args = {"imgsz": LONG_SIDE, "task": "detect"}
    torch.save({"model": model, "train_args": {"imgsz": LONG_SIDE}}, path)
    return path
