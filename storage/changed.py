"""What a write did: the row as it is now, and the live frames that tell of it once it is committed."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from schemas.frame import NewFrame

T = TypeVar("T")


@dataclass(frozen=True)
class Changed(Generic[T]):
    """Frames are empty when the row was so already."""

    value: T
    news: tuple[NewFrame, ...] = ()
