"""Runs in a process of its own: exports a checkpoint, or fetches a public one, then writes what came of it as JSON.

A process of its own, so that PyTorch's memory goes when it is done, and a crash or hang of an exporter stops nothing.
Called by file name with the request as its argument; imports nothing of this project.
"""

import importlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any


def export(request: dict[str, Any]) -> dict[str, Any]:
    """Export `checkpoint` (in a folder of its own, since exporters write beside it) to `format`."""
    ultralytics: Any = importlib.import_module("ultralytics")
    model = ultralytics.YOLO(request["checkpoint"])
    trained_for = model.model.args.get("imgsz") if isinstance(model.model.args, dict) else None
    long_side = request["long_side"] or (trained_for if isinstance(trained_for, int) else 640)
    arguments: dict[str, Any] = {"format": request["format"], "imgsz": long_side, "dynamic": True, "nms": None}
    if request["format"] == "engine":
        arguments |= {"batch": request["batch"], "quantize": 16, "device": request["device"].removeprefix("cuda:")}
    else:
        arguments |= {"simplify": False, "device": "cpu"}
    return {"file": str(model.export(**arguments))}


def fetch(request: dict[str, Any]) -> dict[str, Any]:
    """Download public weights by their bare name into `folder`."""
    downloads: Any = importlib.import_module("ultralytics.utils.downloads")
    target = Path(request["folder"]) / request["name"]
    found = Path(downloads.attempt_download_asset(str(target)))
    if found.is_file() and found != target:  # ultralytics had it in its own folder
        shutil.copyfile(found, target)
    return {"file": str(target)} if target.is_file() else {"error": "nothing of that name is published"}


def main() -> None:
    """Do what the first argument asks; the answer goes where it says, since exporters print as they please."""
    request = json.loads(sys.argv[1])
    try:
        answer = {"export": export, "fetch": fetch}[request["task"]](request)
    except Exception as error:  # whatever it is, the parent gets it in words
        answer = {"error": f"{type(error).__name__}: {error}"}
    Path(request["answer"]).write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main()
