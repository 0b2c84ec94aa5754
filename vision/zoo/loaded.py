"""What a loaded model is to the zoo, whatever its family."""

from pathlib import Path
from typing import Protocol

from schemas.detection import DetectedObject
from vision.given_picture import GivenPicture


class LoadedModel(Protocol):
    """A model in memory; safe to call from several threads."""

    @property
    def device(self) -> str: ...

    @property
    def kind(self) -> str:
        """Which program computes."""
        ...

    def run(self, image: GivenPicture, confidence: float | None = None) -> list[DetectedObject]:
        """What is in the picture, in its own pixels, most certain first.

        Raises InferenceFailed, UnreadablePicture, and ValueError for an array that is no picture.
        """
        ...

    def close(self) -> None:
        """Gives its memory back."""
        ...


class Loader(Protocol):
    """How the models of one family get into memory."""

    def why_not(self, path: Path) -> str | None:
        """What this machine lacks for weights of this kind, and the mend; None when it lacks nothing."""
        ...

    def prepare(self, path: Path) -> None:
        """Brings in the libraries that all models of this kind share, so that none is charged with them."""
        ...

    def load(self, path: Path, device: str, threads: int | None, cache_dir: Path) -> LoadedModel:
        """Raises ModelUnusable."""
        ...
