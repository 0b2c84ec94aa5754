"""The shelf on which the weights stand: whether a model can be loaded from it, and the loading."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from domain.model_registry import MODELS, RegisteredModel, registered
from schemas.model import ModelFamily
from vision.errors import ModelUnusable
from vision.zoo.errors import ModelUnavailable, NoWeights
from vision.zoo.footprint import measured_load, return_memory
from vision.zoo.loaded import LoadedModel, Loader
from vision.zoo.ultralytics_family import UltralyticsLoader
from vision.zoo.weights import FileStamp, FoundWeights, expected_path, find_weights

logger = logging.getLogger(__name__)

LOADERS: dict[ModelFamily, Loader] = {ModelFamily.ULTRALYTICS: UltralyticsLoader()}
"""A family that is not here has no loader yet, and its models say so."""


@dataclass(frozen=True, slots=True)
class ShelfPlan:
    """Where weights are looked for, and on what they run."""

    folder: Path
    cache_dir: Path
    """Where what is made of the weights is kept."""
    files: Mapping[str, str]
    """By model: the file that the settings choose for it, relative to the folder."""
    device: str = "auto"
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a model's place."""

    path: Path
    stamp: FileStamp | None
    """None while there are no weights."""
    reason: str | None
    """Why it cannot be loaded; None when it can be tried."""


@dataclass(frozen=True, slots=True)
class Loaded:
    model: LoadedModel
    footprint_mb: int | None


class ModelShelf:
    """Blocks: call it in threads, and `load` and `unload` in one thread after the other."""

    def __init__(self, plan: ShelfPlan) -> None:
        self._plan = plan

    def look_at_all(self) -> dict[str, Look]:
        return {name: self.look(name) for name in MODELS}

    def look(self, name: str) -> Look:
        model = registered(name)
        loader = LOADERS.get(model.family)
        chosen = self._plan.files.get(name)
        if loader is None:
            path = expected_path(self._plan.folder, model.files, chosen)
            return Look(path, None, f"this version has no loader for the family {model.family.value!r}")
        try:
            found = find_weights(self._plan.folder, model.files, chosen)
        except NoWeights as error:
            path = expected_path(self._plan.folder, model.files, chosen)
            return Look(path, None, _with_mend(error.reason, model))
        return Look(found.path, found.stamp, loader.why_not(found.path))

    def load(self, name: str) -> Loaded:
        """Raises ModelUnavailable, whatever goes wrong."""
        model = registered(name)
        try:
            found = find_weights(self._plan.folder, model.files, self._plan.files.get(name))
            LOADERS[model.family].prepare(found.path)
            loaded, footprint = measured_load(lambda: self._load(model, found), found.size_mb)
        except NoWeights as error:
            raise ModelUnavailable(name, _with_mend(error.reason, model)) from None
        except ModelUnusable as error:
            reason = self._without_folders(error.reason)
            raise ModelUnavailable(name, f"{found.path.name}: {reason}; give it other weights") from None
        except Exception as error:  # a driver, a full disk or a library: the zoo outlives it and says so
            reason = self._without_folders(f"{type(error).__name__}: {error}")
            raise ModelUnavailable(name, f"loading failed ({reason})") from error
        return Loaded(loaded, footprint)

    def unload(self, model: LoadedModel) -> None:
        try:
            model.close()
        except Exception as error:  # it is out of the ledger already; nobody can do more about it
            logger.warning("a model could not be closed: %s", error)
        return_memory()

    def _load(self, model: RegisteredModel, found: FoundWeights) -> LoadedModel:
        plan = self._plan
        return LOADERS[model.family].load(found.path, plan.device, plan.threads, plan.cache_dir)

    def _without_folders(self, words: str) -> str:
        """Libraries quote the whole path of what they cannot read."""
        return words.replace(f"{self._plan.folder}/", "").replace(f"{self._plan.cache_dir}/", "")


def _with_mend(reason: str, model: RegisteredModel) -> str:
    if reason.startswith("its weights"):
        return f"{reason}: put {' or '.join(model.files[:2])} there ({model.source})"
    return reason
