"""What the settings make of the zoo."""

from pathlib import Path

import pytest

from actors.pipeline import actor_specs
from actors.tools.zoo import zoo_plan
from schemas.service import ServiceCategory
from settings import SettingsError, load_settings


def test_without_settings_the_zoo_has_the_contracts_budget_and_its_folder_below_the_data(tmp_path: Path) -> None:
    plan = zoo_plan(load_settings({"DATA_DIR": str(tmp_path)}))
    assert (plan.budget_mb, plan.shelf.folder) == (1650, tmp_path / "models" / "zoo")
    assert len(plan.enabled) == 16
    assert not plan.enabled & {"yolo26-general", "florence-2-large"}


def test_every_setting_reaches_the_plan(tmp_path: Path) -> None:
    plan = zoo_plan(
        load_settings(
            {
                "MODEL_ZOO_DIR": str(tmp_path),
                "MODEL_ZOO_FILES": "yolo11-face=faces/best.onnx, yolo-world-s=w.pt",
                "MODEL_ZOO_ENABLED": "yolo26-general",
                "MODEL_ZOO_DISABLED": "xclip-base",
                "MODEL_ZOO_DEVICE": "cpu",
                "VRAM_BUDGET_MB": "4000",
            }
        )
    )
    assert (plan.shelf.folder, plan.shelf.device, plan.budget_mb) == (tmp_path, "cpu", 4000)
    assert plan.shelf.files == {"yolo11-face": "faces/best.onnx", "yolo-world-s": "w.pt"}
    assert "yolo26-general" in plan.enabled
    assert "xclip-base" not in plan.enabled


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MODEL_ZOO_ENABLED", "insightface"),
        ("MODEL_ZOO_DISABLED", "insightface"),
        ("MODEL_ZOO_FILES", "insightface=x.onnx"),
        ("MODEL_ZOO_FILES", "yolo11-face"),
        ("MODEL_ZOO_FILES", "yolo11-face="),
        ("MODEL_ZOO_DEVICE", "toaster"),
        ("VRAM_BUDGET_MB", "0"),
    ],
)
def test_a_bad_value_is_refused_by_its_name(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{variable}: "):
        load_settings({variable: value})


@pytest.mark.parametrize(("device", "share"), [("auto", 0), ("cpu", 0), ("cuda", 0.2)])
def test_the_zoo_is_an_ai_service_that_holds_a_card_only_when_told_to(device: str, share: float) -> None:
    [spec] = [one for one in actor_specs(load_settings({"MODEL_ZOO_DEVICE": device}), "app") if one.name == "model_zoo"]
    assert (spec.category, spec.shown, spec.num_gpus) == (ServiceCategory.AI, True, share)
