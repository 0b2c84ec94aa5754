"""Where the language model's replicas run: which cards of Ray's they ask for, and how much of a card's memory.

Ray counts shares of cards and places replicas by them; the memory is counted in domain/card_plan.py. A replica that Ray
could never place would keep the whole system from starting: such a one gets no card, and says why.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.card_plan import CardAccount
from language.errors import ModelUnusable
from settings import Settings

A_MODEL_BESIDE_OTHERS = 0.6
"""Of one card, beside a detector and the zoo."""
SHARE_OF_ANOTHER = 0.2
_LEAST_SHARE = 0.01


@dataclass(frozen=True)
class Place:
    """Where one replica is to run, in Ray's terms."""

    cards: float
    missing: str | None = None
    """Why there is no such place: the replica runs without a card and says so."""


def place(settings: Settings, cards_there: float | None) -> Place:
    """`cards_there`: those of this Ray; None where they may still come, as on a cluster that grows when asked."""
    if settings.nemotron_url is not None or settings.nemotron_device == "cpu":
        return Place(0)
    wanted = settings.nemotron_device == "cuda"
    if cards_there is None:
        return Place(_wished(settings)) if wanted else Place(0)
    if cards_there == 0:
        return Place(0, "NEMOTRON_DEVICE=cuda, and Ray sees no card on this machine" if wanted else None)
    left = round(cards_there - _claimed_by_others(settings), 2)
    each = min(_wished(settings), int(100 * left / settings.nemotron_replicas + 1e-6) / 100)
    if each < (_wished(settings) if _takes_whole_cards(settings) else _LEAST_SHARE):
        parallel = f"{settings.nemotron_tensor_parallel * _stages(settings)}"
        return Place(
            0,
            f"{settings.nemotron_replicas} × {parallel} cards are asked for (NEMOTRON_REPLICAS, "
            f"NEMOTRON_TENSOR_PARALLEL), and of {cards_there:g} the others leave {max(left, 0):g}",
        )
    return Place(each)


def account(settings: Settings, card_mb: int, cards: int = 1) -> CardAccount:
    """The fullest card: with several, all that may lie on one does. What is left at `auto` may take the card too."""
    on_each = settings.nemotron_replicas if settings.nemotron_tensor_parallel == 1 else 1
    return CardAccount(
        card_mb=card_mb,
        detectors=settings.detector_replicas if settings.detector_device != "cpu" else 0,
        zoo_mb=settings.vram_budget_mb if settings.model_zoo_device != "cpu" else 0,
        engines=-(-on_each // max(cards, 1)),
    )


def memory_fraction(settings: Settings, cards_mb: Sequence[int]) -> float | None:
    """Of a card, for vLLM: what was set, else what the others leave of the smallest; None for vLLM's own default.

    Raises ModelUnusable where that is more than there is, or nothing: two that race for a card's memory fail in turn.
    """
    wanted = settings.nemotron_gpu_memory_fraction
    if not cards_mb:
        return wanted
    card = account(settings, min(cards_mb), len(cards_mb))
    if wanted is None:
        if card.fraction is None:
            raise ModelUnusable(
                f"the detector and the zoo are promised {card.others_mb} of the card's {card.card_mb} MB: set "
                "DETECTOR_DEVICE or MODEL_ZOO_DEVICE to cpu, or VRAM_BUDGET_MB to less"
            )
        return card.fraction
    overdrawn = card.overdrawn(wanted)
    if overdrawn is not None:
        raise ModelUnusable(overdrawn)
    return wanted


def _wished(settings: Settings) -> float:
    if not _takes_whole_cards(settings):
        return A_MODEL_BESIDE_OTHERS
    return float(settings.nemotron_tensor_parallel * _stages(settings))


def _takes_whole_cards(settings: Settings) -> bool:
    return settings.nemotron_tensor_parallel > 1 or settings.nemotron_engine == "ray_llm"


def _stages(settings: Settings) -> int:
    return settings.nemotron_pipeline_parallel if settings.nemotron_engine == "ray_llm" else 1


def _claimed_by_others(settings: Settings) -> float:
    """What the detector's replicas and the zoo ask of Ray; whole cards where this model takes whole ones."""
    detectors = settings.detector_replicas if settings.detector_device == "cuda" else 0
    shares = SHARE_OF_ANOTHER * (detectors + (settings.model_zoo_device == "cuda"))
    return float(-(-round(shares, 2) // 1)) if _takes_whole_cards(settings) else round(shares, 2)
