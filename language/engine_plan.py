"""What an engine in this process is to load, and how."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class EnginePlan:
    """The settings of one replica's engine, in vLLM's terms."""

    model: str
    """A local folder, or a name on the hub."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    tensor_parallel: int = 1
    gpu_memory_fraction: float | None = None
    """Of the card; None: vLLM's own default."""
    max_model_len: int = 8192
    max_in_flight: int = 8
    thinking: bool = False
    thinking_tokens: int = 1024
    prefix_caching: Literal["auto", "on", "off"] = "auto"
    sees: bool = False
    """Whether the model takes pictures along with a question."""
    most_pictures: int = 4
    threads: int = 1
    """Of the processor, where the model runs on that."""

    def __post_init__(self) -> None:
        for name in (
            "tensor_parallel",
            "max_model_len",
            "max_in_flight",
            "thinking_tokens",
            "most_pictures",
            "threads",
        ):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is at least 1, and is {getattr(self, name)}")
        if self.gpu_memory_fraction is not None and not 0 < self.gpu_memory_fraction <= 1:
            raise ValueError(f"gpu_memory_fraction lies above 0 and at most at 1, and is {self.gpu_memory_fraction}")
