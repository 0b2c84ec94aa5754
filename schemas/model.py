"""A model of the zoo: what it is for, what it costs, and whether it can be used now or why not."""

from enum import StrEnum

from pydantic import Field

from schemas.frozen import Frozen, UtcTime


class ModelCategory(StrEnum):
    DETECTION = "detection"
    OCR = "ocr"
    EMBEDDING = "embedding"
    VISION_LANGUAGE = "vision-language"
    POSE = "pose"
    DEPTH_ESTIMATION = "depth-estimation"
    CLASSIFICATION = "classification"
    SEGMENTATION = "segmentation"
    ACTION_RECOGNITION = "action-recognition"
    QUALITY_ASSESSMENT = "quality-assessment"


class ModelStatus(StrEnum):
    LOADED = "loaded"
    UNLOADED = "unloaded"
    LOADING = "loading"
    DISABLED = "disabled"
    """Switched off by the settings or by its default."""
    ERROR = "error"
    """Its weights are there and cannot be used; tried again once the file has changed."""


class ModelFamily(StrEnum):
    """Which program can run the weights."""

    ULTRALYTICS = "ultralytics"
    TRANSFORMERS = "transformers"
    PADDLE = "paddle"
    BRISQUE = "brisque"


class ZooModel(Frozen):
    name: str
    display_name: str
    category: ModelCategory
    status: ModelStatus
    enabled: bool
    available: bool
    """Whether it would run if it were asked now."""
    reason: str | None
    """Why it is not available; null when it is."""
    vram_mb: int = Field(ge=0)
    """What it is charged in the budget: the registry's figure until a load has been measured."""
    vram_measured: bool
    """Whether `vram_mb` was measured at a load, instead of taken from the registry."""
    device: str | None
    """Where it is loaded, such as `cpu` or `cuda:0`; null while it is not."""
    path: str
    """Where its weights are, or the first place where they are looked for."""
    last_used: UtcTime | None
    load_count: int = Field(ge=0)
    load_time_ms: int | None
    """How long the last load took; null before the first."""
    inference_count: int = Field(ge=0)
