"""What the doctor says of cards and of the language model, on cards as NVML describes them."""

import asyncio
from pathlib import Path

import pytest

from bench.random_nemotron import random_llama
from launch.doctor_model import Card, Cards, gpu_finding, model_finding
from launch.finding import Finding
from settings import Settings, load_settings
from tests.language.chat_sink import models, said
from tests.notify.http_sink import Answer, HttpSink

NONE = Cards()
RTX_3060 = Card("NVIDIA GeForce RTX 3060", 12_288, (8, 6))
RTX_4090 = Card("NVIDIA GeForce RTX 4090", 24_564, (8, 9))
TESLA_T4 = Card("Tesla T4", 15_360, (7, 5))
ON_THE_CARD = {"DETECTOR_DEVICE": "cuda", "MODEL_ZOO_DEVICE": "cuda"}
ON_THE_PROCESSOR = {"DETECTOR_DEVICE": "cpu", "MODEL_ZOO_DEVICE": "cpu"}


def settings_with(**environment: str) -> Settings:
    return load_settings(environment)


def gpu(*cards: Card, **environment: str) -> str:
    return gpu_finding(settings_with(**environment), Cards(cards, "570.1")).message


def model(*cards: Card, **environment: str) -> Finding:
    return model_finding(settings_with(**environment), Cards(cards, "570.1"))


async def asked(*answers: Answer, **environment: str) -> Finding:
    async with HttpSink(*answers) as sink:
        settings = settings_with(NEMOTRON_URL=f"http://127.0.0.1:{sink.port}/v1", **environment)
        return await asyncio.to_thread(model_finding, settings, NONE)


def test_no_card_is_no_fault() -> None:
    found = gpu_finding(settings_with(), NONE)
    assert (found.good, "runs on the CPU" in found.message) == (True, True)


def test_a_card_is_named_with_its_memory_and_the_model_that_suits_it() -> None:
    said_of_it = gpu(RTX_4090, **ON_THE_CARD)
    assert said_of_it.startswith("NVIDIA GeForce RTX 4090 (24 GB); driver 570.1; ")
    assert "NEMOTRON_MODEL=nvidia/NVIDIA-Nemotron-3.5-Lightning-30B-A3B-NVFP4" in said_of_it
    assert "NEMOTRON_GPU_MEMORY_FRACTION=0.82, NEMOTRON_MAX_IN_FLIGHT=16 and NEMOTRON_MAX_MODEL_LEN=16384" in said_of_it


def test_what_the_detector_and_the_zoo_take_makes_the_suggestion_smaller() -> None:
    assert "9B-v2-FP8" in gpu(RTX_3060, **ON_THE_PROCESSOR)
    assert "3-Nano-4B-FP8" in gpu(RTX_3060), "what is left at auto may take the card"
    assert "3-Nano-4B-FP8" in gpu(RTX_3060, **ON_THE_CARD)


def test_a_card_that_is_too_old_or_too_full_gets_no_suggestion() -> None:
    assert "no Nemotron of our table fits Tesla T4" in gpu(TESLA_T4)
    full = gpu(RTX_3060, DETECTOR_REPLICAS="5", MODEL_ZOO_DEVICE="cpu")
    assert "no Nemotron of our table fits NVIDIA GeForce RTX 3060 beside 10240 MB for the detector and the zoo" in full


def test_with_pictures_one_that_sees_is_suggested() -> None:
    assert "12B-v2-VL-FP8" in gpu(RTX_4090, NEMOTRON_VISION="true")


def test_no_language_model_is_no_fault_and_comes_with_how_to_have_one() -> None:
    without, with_card = model(), model(RTX_4090)
    assert (without.good, with_card.good) == (True, True)
    assert "not configured" in without.message
    assert "there is no card" in without.message
    assert "as proposed with the gpu" in str(with_card.mend)


def test_a_folder_that_is_not_there_is_bad() -> None:
    found = model(NEMOTRON_MODEL="/models/none")
    assert not found.good
    assert "/models/none" in found.message


def test_half_a_folder_is_bad_with_the_file_that_is_missing(tmp_path: Path) -> None:
    found = model(NEMOTRON_MODEL=str(tmp_path))
    assert not found.good
    assert "config.json" in found.message


def test_a_whole_folder_is_good_with_its_size(tmp_path: Path) -> None:
    folder = random_llama(tmp_path / "tiny")
    found = model(NEMOTRON_MODEL=str(folder))
    assert found.good, found
    assert "MB of files" in found.message


def test_a_name_on_the_hub_needs_internet_at_the_first_start() -> None:
    found = model(RTX_4090, NEMOTRON_MODEL="nvidia/NVIDIA-Nemotron-3-Nano-4B-FP8")
    assert found.good
    assert "needs internet" in found.message


@pytest.mark.parametrize(
    ("card", "environment", "said_of_it"),
    [
        (RTX_4090, {"NEMOTRON_GPU_MEMORY_FRACTION": "0.9", **ON_THE_CARD}, "more than the whole card"),
        (RTX_4090, {"NEMOTRON_GPU_MEMORY_FRACTION": "0.5", "NEMOTRON_REPLICAS": "2", **ON_THE_CARD}, "2 engines"),
        (RTX_4090, {"NEMOTRON_TENSOR_PARALLEL": "2"}, "2 cards are to share the model, and there are 1"),
        (RTX_4090, {"NEMOTRON_GPU_MEMORY_FRACTION": "0.1"}, "needs 5120 MB, and 2456 MB are left for it"),
        (RTX_4090, {"NEMOTRON_VISION": "true"}, "takes no pictures"),
        (TESLA_T4, {}, "needs a card from Ampere on"),
    ],
)
def test_a_model_that_the_card_cannot_hold_is_bad(card: Card, environment: dict[str, str], said_of_it: str) -> None:
    found = model(card, NEMOTRON_MODEL="nvidia/NVIDIA-Nemotron-3-Nano-4B-FP8", **environment)
    assert not found.good
    assert said_of_it in found.message
    assert found.mend


def test_a_model_for_blackwell_is_bad_on_another_card() -> None:
    found = model(RTX_4090, NEMOTRON_MODEL="nvidia/NVIDIA-Nemotron-Nano-9B-v2-NVFP4")
    assert not found.good
    assert "from Blackwell on" in found.message


def test_a_model_without_a_card_is_good_and_said_to_be_slow(tmp_path: Path) -> None:
    found = model(NEMOTRON_MODEL=str(random_llama(tmp_path / "tiny")))
    assert found.good
    assert "there is no card" in str(found.mend)


def test_a_folder_that_cannot_be_used_comes_with_what_holds_until_it_can(tmp_path: Path) -> None:
    assert "fixed rules, provisionally" in str(model(NEMOTRON_MODEL=str(tmp_path)).mend)


def test_a_card_is_asked_for_and_there_is_none() -> None:
    found = model(NEMOTRON_MODEL="nvidia/x", NEMOTRON_DEVICE="cuda")
    assert not found.good
    assert "there is none" in found.message


async def test_a_server_that_answers_is_good_with_its_model() -> None:
    found = await asked(models("nemotron", max_model_len=8192))
    assert (found.good, found.message) == (True, "nemotron at NEMOTRON_URL")


async def test_a_server_that_refuses_the_key_is_bad_and_the_key_is_not_repeated() -> None:
    found = await asked(said(401, {"error": {"message": "hunter2 is wrong"}}), NEMOTRON_API_KEY="hunter2")
    assert not found.good
    assert "NEMOTRON_API_KEY" in found.message
    assert "hunter2" not in found.message


async def test_a_model_that_the_server_does_not_have_is_bad_with_those_that_it_has() -> None:
    found = await asked(models("nano"), NEMOTRON_URL_MODEL="ultra")
    assert not found.good
    assert "nano" in found.message


def test_a_server_that_is_not_there_is_bad() -> None:
    found = model(NEMOTRON_URL="http://127.0.0.1:9/v1")
    assert not found.good
    assert "NEMOTRON_URL" in str(found.mend)
