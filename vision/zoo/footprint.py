"""What loading a model takes, measured: of the card where it runs on one, of this process's memory where it does not.

Loads are measured one at a time, by the caller's care; what else the process allocates meanwhile is counted in.
"""

import ctypes
import gc
import sys
from collections.abc import Callable
from typing import Any

import psutil

from vision.zoo.loaded import LoadedModel


def measured_load(load: Callable[[], LoadedModel], weights_mb: int) -> tuple[LoadedModel, int | None]:
    """The loaded model and its footprint in MB; None where it cannot be told (ONNX Runtime and TensorRT on CUDA).

    On a processor it is the growth of the process, and never less than the weights themselves, which a process that
    finds them room in memory it had before does not grow by. Raises what `load` raises.
    """
    return_memory()
    process_before, card_before = _process_bytes(), _card_bytes(None)
    model = load()
    if model.device == "cpu":
        grown = -(-max(0, _process_bytes() - process_before) // 2**20)
        return model, max(grown, weights_mb)
    if model.kind != "pytorch":
        return model, None
    taken = (_card_bytes(model.device) or 0) - (card_before or 0)
    return model, -(-taken // 2**20) if taken > 0 else None


def return_memory() -> None:
    """What was freed goes back to the system, so that the next growth is seen and an eviction is one."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's; elsewhere the allocator decides by itself
    if trim is not None:
        trim(0)


def _process_bytes() -> int:
    return int(psutil.Process().memory_info().rss)


def _card_bytes(device: str | None) -> int | None:
    """What PyTorch holds of the card (of all cards for None); None while it has not touched one."""
    torch: Any = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return None
    if device is not None:
        return int(torch.cuda.memory_reserved(device))
    return sum(int(torch.cuda.memory_reserved(number)) for number in range(torch.cuda.device_count()))
