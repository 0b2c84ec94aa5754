"""The registry is the contract's eighteen, to the letter."""

import pytest

from domain.model_registry import MODELS, REGISTRY, UnknownModel, enabled_models, registered

CONTRACT = """
yolo11-license-plate detection 300 yes · yolo11-face detection 200 yes · yolo26-general detection 400 no ·
yolo-world-s detection 1500 yes · vehicle-damage-detection detection 2000 yes · paddleocr ocr 100 yes ·
clip-vit-l embedding 800 yes · florence-2-large vision-language 1200 no · vitpose-small pose 1500 yes ·
depth-anything-v2-small depth-estimation 150 yes · violence-detection classification 500 yes ·
weather-classification classification 200 yes · fashion-clip classification 500 yes ·
vehicle-segment-classification classification 1500 yes · pet-classifier classification 200 yes ·
segformer-b2-clothes segmentation 1500 yes · xclip-base action-recognition 2000 yes ·
brisque-quality quality-assessment 0 yes
"""


def test_names_categories_sizes_and_defaults_are_the_contracts() -> None:
    promised = [tuple(line.split()) for line in CONTRACT.split("·")]
    assert len(promised) == 18
    assert promised == [
        (model.name, model.category.value, str(model.vram_mb), "yes" if model.enabled else "no") for model in REGISTRY
    ]


def test_every_model_says_where_its_weights_come_from_and_where_they_go() -> None:
    for model in REGISTRY:
        assert model.source
        assert model.display_name
        assert all("/" not in name and ".." not in name for name in model.files)
    files = [name for model in REGISTRY for name in model.files]
    assert len(files) == len(set(files))


def test_an_unknown_model_is_an_error_that_names_it() -> None:
    assert registered("yolo11-face") is MODELS["yolo11-face"]
    with pytest.raises(UnknownModel, match="'insightface'"):
        registered("insightface")


def test_switching_off_is_stronger_than_switching_on() -> None:
    assert "yolo26-general" not in enabled_models()
    assert "yolo26-general" in enabled_models(on=("yolo26-general",))
    assert "yolo26-general" not in enabled_models(on=("yolo26-general",), off=("yolo26-general",))
    assert "yolo11-face" not in enabled_models(off=("yolo11-face",))
