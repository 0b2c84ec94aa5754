"""Weights are found in their folder and nowhere else."""

import os
from pathlib import Path

import pytest

from vision.zoo.errors import NoWeights
from vision.zoo.weights import expected_path, find_weights

NAMES = ("m.onnx", "m.pt", "m_openvino_model")


def test_the_first_of_the_names_is_taken(tmp_path: Path) -> None:
    (tmp_path / "m.pt").write_bytes(b"x" * 2_000_000)
    assert find_weights(tmp_path, NAMES).path == tmp_path / "m.pt"
    assert find_weights(tmp_path, NAMES).size_mb == 2
    (tmp_path / "m.onnx").write_bytes(b"x")
    assert find_weights(tmp_path, NAMES).path == tmp_path / "m.onnx"


@pytest.mark.parametrize("folder", ["", "not/there"])
def test_nothing_there_is_said(tmp_path: Path, folder: str) -> None:
    with pytest.raises(NoWeights, match="not in MODEL_ZOO_DIR"):
        find_weights(tmp_path / folder, NAMES)


def test_the_settings_choose_a_file_and_no_other_is_taken(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"x")
    with pytest.raises(NoWeights, match=r"no faces/best.pt in MODEL_ZOO_DIR"):
        find_weights(tmp_path, NAMES, "faces/best.pt")
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces" / "best.pt").write_bytes(b"x")
    assert find_weights(tmp_path, NAMES, "faces/best.pt").path == tmp_path / "faces" / "best.pt"


@pytest.mark.parametrize("chosen", ["../secret.onnx", "a/../../secret.onnx", "/etc/passwd", "", ".", "..", "a\0b"])
def test_a_path_out_of_the_folder_is_refused_though_the_file_is_there(tmp_path: Path, chosen: str) -> None:
    (tmp_path / "secret.onnx").write_bytes(b"x")
    (tmp_path / "zoo" / "a").mkdir(parents=True)
    with pytest.raises(NoWeights, match="MODEL_ZOO_DIR"):
        find_weights(tmp_path / "zoo", NAMES, chosen)
    assert expected_path(tmp_path / "zoo", NAMES, chosen).is_relative_to(tmp_path / "zoo")
    assert ".." not in expected_path(tmp_path / "zoo", NAMES, chosen).parts


def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.onnx").write_bytes(b"x")
    (tmp_path / "zoo").mkdir()
    (tmp_path / "zoo" / "m.onnx").symlink_to(tmp_path / "secret.onnx")
    with pytest.raises(NoWeights, match="leads out of MODEL_ZOO_DIR"):
        find_weights(tmp_path / "zoo", NAMES)


def test_a_link_inside_the_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "v2.onnx").write_bytes(b"x")
    (tmp_path / "m.onnx").symlink_to("v2.onnx")
    assert find_weights(tmp_path, NAMES).path == tmp_path / "m.onnx"


def test_links_in_a_circle_are_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").symlink_to("m.pt")
    (tmp_path / "m.pt").symlink_to("m.onnx")
    with pytest.raises(NoWeights):
        find_weights(tmp_path, NAMES)


def test_other_weights_have_another_stamp(tmp_path: Path) -> None:
    file = tmp_path / "m.onnx"
    file.write_bytes(b"x")
    before = find_weights(tmp_path, NAMES).stamp
    assert find_weights(tmp_path, NAMES).stamp == before
    status = file.stat()
    file.write_bytes(b"y")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert find_weights(tmp_path, NAMES).stamp != before


def test_a_folders_stamp_is_that_of_all_its_files(tmp_path: Path) -> None:
    (tmp_path / "m_openvino_model").mkdir()
    (tmp_path / "m_openvino_model" / "m.xml").write_bytes(b"x")
    before = find_weights(tmp_path, NAMES).stamp
    (tmp_path / "m_openvino_model" / "m.bin").write_bytes(b"x")
    assert find_weights(tmp_path, NAMES).stamp != before
