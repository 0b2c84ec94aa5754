"""Which Nemotron suits a card, and how much of the card is whose: one account for detector, zoo and language model.

    card ─┬─ the detector's replicas     DETECTOR_MB each, where they compute on it
          ├─ the zoo's whole budget      VRAM_BUDGET_MB, the most that its ledger ever charges (domain/model_ledger.py)
          ├─ a rest                      RESERVE_MB: driver, contexts, what other programs show
          └─ vLLM                        what is left, divided among its engines

vLLM takes its share when it starts and keeps it, so the others' shares must be left out beforehand: of what is promised
nothing is promised twice, and the shares of a card never add up to more than 1.
"""

import math
from dataclasses import dataclass

DETECTOR_MB = 2048
RESERVE_MB = 512
MOST_FRACTION = 0.92
"""vLLM's own default for a card that it has to itself."""
_GB = 1024
_LEAST_CAPABILITY = (8, 0)
"""Before Ampere there is no bfloat16, in which all of these compute."""
_BLACKWELL = (10, 0)


@dataclass(frozen=True, slots=True)
class CardModel:
    """A model on NVIDIA's hub, and what it asks of a card."""

    name: str
    least_mb: int
    """For vLLM, weights and a small cache included."""
    default: bool = False
    """Whether it is proposed for the smallest card that it fits, and larger ones up to the next proposal."""
    blackwell: bool = False
    sees: bool = False
    least_vllm: str = "0.11.2"
    moe_backend: str | None = None
    hybrid: bool = True
    """Whether layers keep a running state (Mamba), in which bfloat16 loses accuracy."""


MODELS = (
    CardModel("nvidia/NVIDIA-Nemotron-3-Nano-4B-FP8", 5 * _GB, default=True),
    CardModel("nvidia/NVIDIA-Nemotron-Nano-9B-v2-NVFP4", 6 * _GB, blackwell=True, least_vllm="0.10.1"),
    CardModel(
        "nvidia/NVIDIA-Nemotron-Nano-12B-v2-VL-NVFP4-QAD", 8 * _GB, blackwell=True, sees=True, least_vllm="0.11.1"
    ),
    CardModel("nvidia/NVIDIA-Nemotron-3-Nano-4B-BF16", 10 * _GB),
    CardModel("nvidia/NVIDIA-Nemotron-Nano-9B-v2-FP8", 11 * _GB, default=True, least_vllm="0.10.1"),
    CardModel("nvidia/NVIDIA-Nemotron-Nano-12B-v2-VL-FP8", 14 * _GB, sees=True, least_vllm="0.11.1"),
    CardModel(
        "nvidia/NVIDIA-Nemotron-3.5-Lightning-30B-A3B-NVFP4",
        18 * _GB,
        default=True,
        least_vllm="0.27.1",
        moe_backend="marlin",
    ),
    CardModel("nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-NVFP4", 20 * _GB),
    CardModel("nvidia/NVIDIA-Nemotron-Nano-9B-v2", 22 * _GB, least_vllm="0.10.1"),
    CardModel("nvidia/Nemotron-3-Nano-Omni-30B-A3B-Reasoning-NVFP4", 28 * _GB, sees=True, least_vllm="0.20"),
    CardModel("nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-FP8", 35 * _GB, default=True),
)
"""By what they need, the least first."""


@dataclass(frozen=True, slots=True)
class CardAccount:
    """One card, and what is on it beside the language model."""

    card_mb: int
    detectors: int = 0
    """Replicas of the detector that compute on it."""
    zoo_mb: int = 0
    """The zoo's budget, where the zoo computes on it."""
    engines: int = 1
    """Of the language model, each with its own copy."""

    @property
    def others_mb(self) -> int:
        return self.detectors * DETECTOR_MB + self.zoo_mb

    @property
    def fraction(self) -> float | None:
        """Of the card, for each engine, as NEMOTRON_GPU_MEMORY_FRACTION has it; None where nothing is left."""
        left = (self.card_mb - self.others_mb - RESERVE_MB) / max(self.card_mb, 1)
        share = math.floor(100 * min(MOST_FRACTION, left) / max(self.engines, 1)) / 100
        return share if share > 0 else None

    def shares(self, fraction: float) -> float:
        """What all are promised together, where each engine gets this fraction: at most 1 in a sound account."""
        return (self.others_mb / self.card_mb) + fraction * self.engines

    def fits(self, model: CardModel) -> bool:
        return self.fraction is not None and self.fraction * self.card_mb >= model.least_mb

    def overdrawn(self, fraction: float) -> str | None:
        """Why this fraction promises more than there is."""
        if self.shares(fraction) <= 1:
            return None
        mend = f"set NEMOTRON_GPU_MEMORY_FRACTION to {self.fraction:g} or less, or unset it" if self.fraction else ""
        several = f"{self.engines} engines with {fraction:g} of the card each" if self.engines > 1 else f"{fraction:g}"
        return (
            f"{several} for vLLM and {self.others_mb} of {self.card_mb} MB for the detector and the zoo are more than "
            f"the whole card: {mend or 'move the detector or the zoo to the processor'}"
        )


@dataclass(frozen=True, slots=True)
class EngineArguments:
    """What vLLM is told for a model on a card, beside its fraction."""

    max_num_seqs: int
    """NEMOTRON_MAX_IN_FLIGHT."""
    max_model_len: int
    """NEMOTRON_MAX_MODEL_LEN."""
    mamba_ssm_cache_dtype: str | None
    moe_backend: str | None


def engine_arguments(model: CardModel, card_mb: int) -> EngineArguments:
    """A home asks few questions at once: room goes to the length first."""
    large = card_mb >= 22 * _GB
    return EngineArguments(
        max_num_seqs=16 if large else 8,
        max_model_len=16_384 if large else 8192,
        mamba_ssm_cache_dtype="float32" if model.hybrid else None,
        moe_backend=model.moe_backend,
    )


def default_model(account: CardAccount, capability: tuple[int, int], *, sees: bool = False) -> CardModel | None:
    """The proposal for a card: the largest of those that are proposed and fit beside everything else on it.

    `sees`: one that takes pictures is asked for.
    """
    return max(
        (one for one in MODELS if (one.sees if sees else one.default) and runs(one, capability) and account.fits(one)),
        key=lambda one: one.least_mb,
        default=None,
    )


def runs(model: CardModel, capability: tuple[int, int]) -> bool:
    """Whether a card of this compute capability computes what the model's weights are written in."""
    return capability >= (_BLACKWELL if model.blackwell else _LEAST_CAPABILITY)


def known_model(written: str) -> CardModel | None:
    """The model that NEMOTRON_MODEL names: by its name on the hub, or by that of the folder it was downloaded to."""
    last = written.rstrip("/").rpartition("/")[2].lower()
    return next((one for one in MODELS if one.name.rpartition("/")[2].lower() == last), None)
