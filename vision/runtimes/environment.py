"""What must stand in the environment before ultralytics is imported, and what devices there are.

ultralytics reads these once, at import: without them it writes into the user's home, installs packages on its own,
asks the internet, sets OpenMP to one thread, and unpickles whatever a `.pt` file holds.
"""

import ctypes
import os
from collections.abc import MutableMapping
from pathlib import Path


def prepare_for_ultralytics(
    environment: MutableMapping[str, str], cache_dir: Path, threads: int, *, offline: bool = True
) -> None:
    """Set what is not set yet; `ULTRALYTICS_SAFE_LOAD=false` stays the operator's choice for unusual checkpoints."""
    settings = cache_dir / "ultralytics"
    settings.mkdir(parents=True, exist_ok=True)
    environment.setdefault("YOLO_CONFIG_DIR", str(settings))
    environment.setdefault("YOLO_AUTOINSTALL", "false")
    environment.setdefault("YOLO_VERBOSE", "false")
    environment.setdefault("ULTRALYTICS_SAFE_LOAD", "true")
    environment.setdefault("OMP_NUM_THREADS", str(threads))
    if offline:
        environment.setdefault("YOLO_OFFLINE", "true")
    else:
        environment.pop("YOLO_OFFLINE", None)


def cuda_devices() -> int:
    """How many CUDA devices this process sees, by the driver itself: PyTorch need not be there, nor be imported."""
    if os.environ.get("CUDA_VISIBLE_DEVICES", "all").strip() in ("", "-1", "NoDevFiles"):
        return 0
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value
