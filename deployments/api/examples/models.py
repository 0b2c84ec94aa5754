"""Examples of the model zoo."""

from typing import Any

from domain.model_registry import REGISTRY
from schemas.model import ModelCategory

MODEL: dict[str, Any] = {
    "name": "yolo11-license-plate",
    "display_name": "YOLO11 licence plates",
    "category": "detection",
    "status": "loaded",
    "enabled": True,
    "available": True,
    "reason": None,
    "vram_mb": 256,
    "vram_measured": True,
    "device": "cuda:0",
    "path": "/srv/home-security/models/zoo/yolo11-license-plate.pt",
    "last_used": "2025-12-23T10:30:00Z",
    "load_count": 3,
    "load_time_ms": 1250,
    "inference_count": 1500,
}

WITHOUT_WEIGHTS: dict[str, Any] = {
    "name": "yolo11-face",
    "display_name": "YOLO11 faces",
    "category": "detection",
    "status": "unloaded",
    "enabled": True,
    "available": False,
    "reason": "its weights are not in MODEL_ZOO_DIR: put yolo11-face.onnx or yolo11-face.pt there (a YOLO11 checkpoint "
    "trained on faces, such as AdamCodd/YOLOv11n-face-detection on Hugging Face)",
    "vram_mb": 200,
    "vram_measured": False,
    "device": None,
    "path": "/srv/home-security/models/zoo/yolo11-face.onnx",
    "last_used": None,
    "load_count": 0,
    "load_time_ms": None,
    "inference_count": 0,
}

MODEL_LIST: dict[str, Any] = {
    "vram_budget_mb": 1650,
    "vram_used_mb": 256,
    "vram_available_mb": 1394,
    "models": [MODEL, WITHOUT_WEIGHTS],
}

ZOO_STATUS: dict[str, Any] = {
    "models": [
        {"name": "yolo11-license-plate", "category": "detection", "status": "loaded", "vram_mb": 256},
        {"name": "yolo11-face", "category": "detection", "status": "unloaded", "vram_mb": 200},
    ],
    "categories": {
        category.value: {
            "loaded": int(category is ModelCategory.DETECTION),
            "total": sum(model.category is category for model in REGISTRY),
        }
        for category in ModelCategory
    },
    "timestamp": "2025-12-23T10:30:00Z",
}

HISTORY: dict[str, Any] = {
    "model": "yolo11-license-plate",
    "snapshots": [
        {
            "timestamp": "2025-12-23T10:29:00Z",
            "avg_ms": 45.2,
            "p50_ms": 42.0,
            "p95_ms": 85.0,
            "p99_ms": 91.3,
            "sample_count": 100,
        },
        {
            "timestamp": "2025-12-23T10:30:00Z",
            "avg_ms": None,
            "p50_ms": None,
            "p95_ms": None,
            "p99_ms": None,
            "sample_count": 0,
        },
    ],
    "count": 2,
    "window_minutes": 1,
    "bucket_seconds": 60,
    "timestamp": "2025-12-23T10:30:00Z",
}
