import hashlib
import importlib
import sys
from pathlib import Path

import cv2
import pytest
import torch

from demo.scenes import CLASSES
from demo.train import draw_data_set, draw_example, provide_torchvision


def files(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*.*")}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawings")
    draw_data_set(folder, pictures=6, checked=2)
    return folder


def test_the_data_set_holds_the_pictures_asked_for(data: Path) -> None:
    assert len(list((data / "images" / "train").iterdir())) == 6
    assert len(list((data / "images" / "val").iterdir())) == 2


def test_a_picture_is_the_same_whoever_draws_it_and_in_which_order(data: Path, tmp_path: Path) -> None:
    for kind in ("images", "labels"):
        (tmp_path / kind / "train").mkdir(parents=True)
    draw_example(tmp_path, "train", 26, 4)
    drawn = files(tmp_path)
    assert drawn.keys() == {"images/train/00004.jpg", "labels/train/00004.txt"}
    assert drawn.items() <= files(data).items()


def test_training_and_checking_pictures_differ(data: Path) -> None:
    pictures = [path.read_bytes() for path in (data / "images").rglob("*.jpg")]
    assert len(set(pictures)) == 8


def test_every_label_is_a_class_and_a_box_inside_the_picture(data: Path) -> None:
    lines = [line for path in (data / "labels").rglob("*.txt") for line in path.read_text().splitlines()]
    assert lines
    for line in lines:
        number, *box = line.split()
        x, y, width, height = map(float, box)
        assert 0 <= int(number) < len(CLASSES)
        assert min(x - width / 2, y - height / 2) >= -1e-5
        assert max(x + width / 2, y + height / 2) <= 1 + 1e-5


def test_every_picture_can_be_read(data: Path) -> None:
    assert all(cv2.imread(str(path)) is not None for path in (data / "images").rglob("*.jpg"))


def test_without_torchvision_training_suppresses_boxes_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    # None in sys.modules makes the import fail as it does where torchvision is absent or broken.
    for name in ("torchvision", "torchvision.ops"):
        monkeypatch.setitem(sys.modules, name, None)
    provide_torchvision()
    torchvision = importlib.import_module("torchvision")
    boxes = torch.tensor([[0.0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60]])
    assert torchvision.ops.nms(boxes, torch.tensor([0.9, 0.8, 0.7]), 0.5).tolist() == [0, 2]
