"""Where a replica of the language model is placed, and which backend the settings mean."""

from typing import Any

import pytest

from deployments import nemotron
from deployments.model_place import Place, memory_fraction, place
from deployments.nemotron import NoBackend, build_backend, calls_at_once, processor_threads
from language.errors import ModelUnusable
from settings import Settings


def settings(**values: Any) -> Settings:
    return Settings(**(({} if "nemotron_url" in values else {"nemotron_model": "/models/nemotron"}) | values))


@pytest.mark.parametrize("values", [{"nemotron_device": "cpu"}, {"nemotron_url": "http://gpu-box:8000/v1"}])
@pytest.mark.parametrize("cards", [0.0, 4.0, None])
def test_a_processor_or_a_server_elsewhere_needs_no_card(values: dict[str, Any], cards: float | None) -> None:
    assert place(settings(**values), cards) == Place(0)


def test_a_model_shares_a_card_with_the_detector_and_the_zoo() -> None:
    assert place(settings(detector_device="cuda", model_zoo_device="cuda"), 1.0) == Place(0.6)
    assert place(settings(detector_device="cuda", detector_replicas=3, model_zoo_device="cuda"), 1.0) == Place(0.2)


def test_a_model_over_several_cards_takes_whole_ones() -> None:
    assert place(settings(nemotron_tensor_parallel=2), 2.0) == Place(2.0)
    assert place(settings(nemotron_tensor_parallel=2, detector_device="cuda"), 3.0) == Place(2.0)


def test_without_a_card_auto_runs_on_the_processor_and_cuda_says_what_is_missing() -> None:
    assert place(settings(), 0.0) == Place(0)
    assert place(settings(nemotron_device="cuda"), 0.0).missing == (
        "NEMOTRON_DEVICE=cuda, and Ray sees no card on this machine"
    )


def test_more_cards_than_there_are_keep_nothing_from_starting() -> None:
    where = place(settings(nemotron_tensor_parallel=4, detector_device="cuda"), 2.0)
    assert where.cards == 0
    assert "1 × 4 cards are asked for (NEMOTRON_REPLICAS, NEMOTRON_TENSOR_PARALLEL)" in (where.missing or "")
    assert "of 2 the others leave 1" in (where.missing or "")


def test_on_a_cluster_that_may_grow_cuda_asks_for_its_card_and_auto_for_none() -> None:
    assert place(settings(nemotron_device="cuda"), None) == Place(0.6)
    assert place(settings(), None) == Place(0)


def test_the_memory_is_what_was_set_or_what_the_others_leave_of_the_smallest_card() -> None:
    assert memory_fraction(settings(nemotron_gpu_memory_fraction=0.4), [24_576]) == 0.4
    assert memory_fraction(settings(), []) is None
    alone = memory_fraction(settings(detector_device="cpu", model_zoo_device="cpu"), [24_576, 16_384])
    beside = memory_fraction(settings(detector_device="cuda"), [16_384, 24_576])
    assert alone is not None
    assert beside is not None
    assert beside < alone <= 0.92


@pytest.mark.parametrize(
    ("wanted", "card_mb", "words"),
    [({"nemotron_gpu_memory_fraction": 0.95}, 8192, "more than"), ({"vram_budget_mb": 7000}, 8192, "DETECTOR_DEVICE")],
)
def test_a_card_that_is_promised_twice_is_refused_with_the_mend(
    wanted: dict[str, Any], card_mb: int, words: str
) -> None:
    with pytest.raises(ModelUnusable) as refused:
        memory_fraction(settings(detector_device="cuda", model_zoo_device="cuda", **wanted), [card_mb])
    assert words in refused.value.reason


def test_an_engine_of_ray_llm_takes_whole_cards_for_each_of_its_stages() -> None:
    several = {"nemotron_engine": "ray_llm", "nemotron_tensor_parallel": 2, "nemotron_pipeline_parallel": 2}
    assert place(settings(**several), 4.0) == Place(4.0)
    assert "1 × 4 cards are asked for" in (place(settings(**several), 2.0).missing or "")


def test_a_replica_takes_more_calls_than_it_answers_and_lets_wait() -> None:
    assert calls_at_once(settings(nemotron_max_in_flight=8)) == 56


async def test_what_cannot_be_built_says_why_when_it_is_started() -> None:
    backend = build_backend(settings(), Place(0, "no card is left"))
    with pytest.raises(ModelUnusable, match="no card is left"):
        await backend.start()
    backend = build_backend(settings(nemotron_url="http://gpu-box:8000/v1", nemotron_api_key="two words\n"), Place(0))
    assert isinstance(backend, NoBackend)
    with pytest.raises(ModelUnusable):
        await backend.start()
    await backend.stop()


def test_an_address_means_a_server_and_a_model_means_vllm() -> None:
    assert build_backend(settings(nemotron_url="http://gpu-box:8000/v1"), Place(0)).describe()["backend"] == (
        "openai_server"
    )


@pytest.mark.parametrize(("usable", "physical", "threads"), [(1, 1, 1), (2, 2, 1), (8, 4, 3), (2, 16, 1), (6, None, 5)])
def test_a_model_on_the_processor_leaves_one_core_to_the_house(
    monkeypatch: pytest.MonkeyPatch, usable: int, physical: int | None, threads: int
) -> None:
    monkeypatch.setattr(nemotron, "usable_cores", lambda: usable)
    monkeypatch.setattr("psutil.cpu_count", lambda logical: physical)
    assert processor_threads() == threads
    backend = build_backend(settings(nemotron_device="cpu"), Place(0))
    assert backend._plan.threads == threads  # type: ignore[attr-defined]
