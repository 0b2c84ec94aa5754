"""The zoo's eighteen models: names, categories, what they are expected to cost, and where their weights come from.

Nothing is downloaded by the program: `source` tells the operator, in words, what to put into MODEL_ZOO_DIR.
"""

from pydantic import Field

from schemas.frozen import Frozen
from schemas.model import ModelCategory, ModelFamily


class UnknownModel(Exception):
    """No model of the registry has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)

    def __str__(self) -> str:
        return f"there is no model {self.args[0]!r}"


class RegisteredModel(Frozen):
    name: str
    display_name: str
    category: ModelCategory
    vram_mb: int = Field(ge=0)
    """Expected; a measured footprint takes its place."""
    enabled: bool
    family: ModelFamily
    files: tuple[str, ...]
    """Names below MODEL_ZOO_DIR, in the order in which they are looked for."""
    source: str


def _yolo_files(name: str) -> tuple[str, ...]:
    return (f"{name}.onnx", f"{name}.pt", f"{name}_openvino_model", f"{name}.engine")


def _model(
    name: str,
    display_name: str,
    category: ModelCategory,
    vram_mb: int,
    family: ModelFamily,
    source: str,
    *,
    enabled: bool = True,
    files: tuple[str, ...] | None = None,
) -> RegisteredModel:
    return RegisteredModel(
        name=name,
        display_name=display_name,
        category=category,
        vram_mb=vram_mb,
        enabled=enabled,
        family=family,
        files=files or (_yolo_files(name) if family is ModelFamily.ULTRALYTICS else (name,)),
        source=source,
    )


_YOLO, _TRANSFORMERS = ModelFamily.ULTRALYTICS, ModelFamily.TRANSFORMERS
_Is = ModelCategory

REGISTRY: tuple[RegisteredModel, ...] = (
    _model(
        "yolo11-license-plate",
        "YOLO11 licence plates",
        _Is.DETECTION,
        300,
        _YOLO,
        "a YOLO11 checkpoint trained on licence plates, such as morsetechlab/yolov11-license-plate-detection on "
        "Hugging Face",
    ),
    _model(
        "yolo11-face",
        "YOLO11 faces",
        _Is.DETECTION,
        200,
        _YOLO,
        "a YOLO11 checkpoint trained on faces, such as AdamCodd/YOLOv11n-face-detection on Hugging Face",
    ),
    _model(
        "yolo26-general",
        "YOLO26, the 80 COCO classes",
        _Is.DETECTION,
        400,
        _YOLO,
        "a public YOLO26 checkpoint of Ultralytics, such as yolo26m.pt",
        enabled=False,
    ),
    _model(
        "yolo-world-s",
        "YOLO-World small, open vocabulary",
        _Is.DETECTION,
        1500,
        _YOLO,
        "Ultralytics' yolov8s-worldv2.pt; it finds the classes saved in the file (set others with "
        "YOLOWorld.set_classes and save it again), since the text encoder is not part of this program",
    ),
    _model(
        "vehicle-damage-detection",
        "Vehicle damage",
        _Is.DETECTION,
        2000,
        _YOLO,
        "a YOLO11 segmentation checkpoint trained on damaged cars, such as "
        "harpreetsahota/car-dd-segmentation-yolov11 on Hugging Face",
    ),
    _model("paddleocr", "PaddleOCR", _Is.OCR, 100, ModelFamily.PADDLE, "PaddlePaddle's PP-OCR inference models"),
    _model(
        "clip-vit-l",
        "CLIP ViT-L/14",
        _Is.EMBEDDING,
        800,
        _TRANSFORMERS,
        "openai/clip-vit-large-patch14 on Hugging Face",
    ),
    _model(
        "florence-2-large",
        "Florence-2 large",
        _Is.VISION_LANGUAGE,
        1200,
        _TRANSFORMERS,
        "microsoft/Florence-2-large on Hugging Face",
        enabled=False,
    ),
    _model(
        "vitpose-small",
        "ViTPose small",
        _Is.POSE,
        1500,
        _TRANSFORMERS,
        "usyd-community/vitpose-plus-small on Hugging Face",
    ),
    _model(
        "depth-anything-v2-small",
        "Depth Anything V2 small",
        _Is.DEPTH_ESTIMATION,
        150,
        _TRANSFORMERS,
        "depth-anything/Depth-Anything-V2-Small-hf on Hugging Face",
    ),
    _model(
        "violence-detection",
        "Violence",
        _Is.CLASSIFICATION,
        500,
        _TRANSFORMERS,
        "jaranohaal/vit-base-violence-detection on Hugging Face",
    ),
    _model(
        "weather-classification",
        "Weather",
        _Is.CLASSIFICATION,
        200,
        _TRANSFORMERS,
        "a classifier of weather in pictures, such as prithivMLmods/Weather-Image-Classification on Hugging Face",
    ),
    _model(
        "fashion-clip",
        "FashionCLIP",
        _Is.CLASSIFICATION,
        500,
        _TRANSFORMERS,
        "Marqo/marqo-fashionCLIP on Hugging Face",
    ),
    _model(
        "vehicle-segment-classification",
        "Kinds of vehicle",
        _Is.CLASSIFICATION,
        1500,
        _TRANSFORMERS,
        "AventIQ-AI/ResNet-50-Vehicle-Segment-classification on Hugging Face",
    ),
    _model(
        "pet-classifier",
        "Cats and dogs",
        _Is.CLASSIFICATION,
        200,
        _TRANSFORMERS,
        "hilmansw/resnet18-catdog-classifier on Hugging Face",
    ),
    _model(
        "segformer-b2-clothes",
        "SegFormer B2 clothes",
        _Is.SEGMENTATION,
        1500,
        _TRANSFORMERS,
        "mattmdjaga/segformer_b2_clothes on Hugging Face",
    ),
    _model(
        "xclip-base",
        "X-CLIP base",
        _Is.ACTION_RECOGNITION,
        2000,
        _TRANSFORMERS,
        "microsoft/xclip-base-patch32 on Hugging Face",
    ),
    _model(
        "brisque-quality",
        "BRISQUE picture quality (CPU)",
        _Is.QUALITY_ASSESSMENT,
        0,
        ModelFamily.BRISQUE,
        "brisque_model_live.yml and brisque_range_live.yml of OpenCV's contributed quality module",
        files=("brisque_model_live.yml",),
    ),
)
"""In the order in which the API lists them."""

MODELS: dict[str, RegisteredModel] = {model.name: model for model in REGISTRY}


def registered(name: str) -> RegisteredModel:
    """Raises UnknownModel."""
    try:
        return MODELS[name]
    except KeyError:
        raise UnknownModel(name) from None


def enabled_models(on: tuple[str, ...] = (), off: tuple[str, ...] = ()) -> frozenset[str]:
    """The registry's own choice, with these switched on and then those switched off."""
    return frozenset(({model.name for model in REGISTRY if model.enabled} | set(on)) - set(off))
