"""Which model suits a card, and that nothing of a card is promised twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.card_plan import (
    DETECTOR_MB,
    MODELS,
    CardAccount,
    default_model,
    engine_arguments,
    known_model,
    runs,
)

ADA, BLACKWELL, TURING = (8, 9), (12, 0), (7, 5)
ZOO = 1650


def proposed(card_mb: int, detectors: int = 1, zoo_mb: int = 0, **more: bool) -> str | None:
    found = default_model(CardAccount(card_mb, detectors, zoo_mb), ADA, **more)
    return found.name.removeprefix("nvidia/") if found is not None else None


@pytest.mark.parametrize(
    ("card_mb", "name"),
    [
        (8188, "NVIDIA-Nemotron-3-Nano-4B-FP8"),
        (12_282, "NVIDIA-Nemotron-3-Nano-4B-FP8"),
        (16_376, "NVIDIA-Nemotron-Nano-9B-v2-FP8"),
        (24_564, "NVIDIA-Nemotron-3.5-Lightning-30B-A3B-NVFP4"),
        (46_068, "NVIDIA-Nemotron-3-Nano-30B-A3B-FP8"),
        (81_559, "NVIDIA-Nemotron-3-Nano-30B-A3B-FP8"),
        (143_771, "NVIDIA-Nemotron-3-Nano-30B-A3B-FP8"),
    ],
)
def test_each_size_of_card_has_its_model_beside_a_detector(card_mb: int, name: str) -> None:
    assert proposed(card_mb) == name


def test_a_card_without_a_detector_has_room_for_the_larger_model() -> None:
    assert proposed(12_282, detectors=0) == "NVIDIA-Nemotron-Nano-9B-v2-FP8"


def test_a_small_card_full_of_others_is_proposed_nothing() -> None:
    assert proposed(8188, detectors=1, zoo_mb=ZOO) is None
    assert proposed(4096, detectors=0) is None


def test_a_card_before_ampere_is_proposed_nothing() -> None:
    assert default_model(CardAccount(16_376), TURING) is None


def test_pictures_need_a_model_that_sees_and_small_cards_a_new_one() -> None:
    assert proposed(24_564, sees=True) == "NVIDIA-Nemotron-Nano-12B-v2-VL-FP8"
    assert proposed(12_282, sees=True) is None
    on_blackwell = default_model(CardAccount(12_282, detectors=1), BLACKWELL, sees=True)
    assert on_blackwell is not None
    assert on_blackwell.blackwell


def test_proposals_without_pictures_run_on_every_card_since_ampere() -> None:
    assert all(runs(one, (8, 0)) for one in MODELS if one.default)


def test_the_table_rises_by_need_and_names_each_model_once() -> None:
    assert [one.least_mb for one in MODELS] == sorted(one.least_mb for one in MODELS)
    assert len({one.name for one in MODELS}) == len(MODELS)


@pytest.mark.parametrize(
    "written",
    [
        "nvidia/NVIDIA-Nemotron-3-Nano-4B-FP8",
        "/models/nvidia-nemotron-3-nano-4b-fp8/",
        "NVIDIA-Nemotron-3-Nano-4B-FP8",
    ],
)
def test_a_model_is_known_by_its_name_or_its_folder(written: str) -> None:
    assert known_model(written) is MODELS[0]


@pytest.mark.parametrize("written", ["", "/", "nvidia/another", "NVIDIA-Nemotron-3-Nano-4B-FP8/snapshots"])
def test_other_names_are_not_known(written: str) -> None:
    assert known_model(written) is None


def test_a_mixture_of_experts_in_four_bits_is_told_its_backend() -> None:
    lightning = known_model("NVIDIA-Nemotron-3.5-Lightning-30B-A3B-NVFP4")
    assert lightning is not None
    arguments = engine_arguments(lightning, 24_564)
    assert (arguments.moe_backend, arguments.mamba_ssm_cache_dtype) == ("marlin", "float32")
    assert (arguments.max_num_seqs, arguments.max_model_len) == (16, 16_384)
    assert engine_arguments(MODELS[0], 8188).max_model_len == 8192


def test_a_card_to_itself_gives_vllm_its_own_default() -> None:
    assert CardAccount(143_771).fraction == 0.92


def test_the_fraction_leaves_the_detector_the_zoo_and_a_rest_untouched() -> None:
    fraction = CardAccount(24_564, detectors=1, zoo_mb=ZOO).fraction
    assert fraction is not None
    assert fraction * 24_564 + DETECTOR_MB + ZOO < 24_564
    assert fraction == 0.82


def test_engines_on_one_card_divide_what_is_left() -> None:
    assert CardAccount(24_564, detectors=1, zoo_mb=ZOO, engines=2).fraction == 0.41


def test_a_fraction_that_is_promised_twice_is_said_with_the_mend() -> None:
    account = CardAccount(24_564, detectors=1, zoo_mb=ZOO)
    said = account.overdrawn(0.9)
    assert said is not None
    assert "NEMOTRON_GPU_MEMORY_FRACTION to 0.82" in said
    assert account.overdrawn(0.82) is None


def test_a_card_that_others_fill_leaves_no_fraction_and_any_is_too_much() -> None:
    account = CardAccount(4096, detectors=2)
    assert account.fraction is None
    assert "to the processor" in str(account.overdrawn(0.1))


@given(
    st.builds(
        CardAccount,
        card_mb=st.integers(1, 300_000),
        detectors=st.integers(0, 8),
        zoo_mb=st.integers(0, 50_000),
        engines=st.integers(1, 8),
    )
)
def test_the_shares_of_a_card_never_pass_the_whole(account: CardAccount) -> None:
    fraction = account.fraction
    if fraction is not None:
        assert account.shares(fraction) <= 1
        assert account.overdrawn(fraction) is None
        assert 0 < fraction <= 0.92
