"""Actor handles for another process: a notebook, a script, a second terminal.

from actors import connect
home = connect()                                     # the system of DATA_DIR
await home.yolo_detector.detect("picture.jpg")       # the replicated detector
await home.nemotron_analyzer.describe()              # the language model, where one is configured
await home.batch_aggregator.health()                 # any actor, by the name that the API shows
"""

import os
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

from settings import load_settings
from storage.system_lock import read_system

if TYPE_CHECKING:
    from actors.ports import DetectorPort, LanguageModelPort, ModelZooPort


class NotRunning(Exception):
    """There is no system to connect to; the message says how to start one."""


class Home:
    """A running system. Every attribute is an actor; `yolo_detector` and `nemotron_analyzer` are deployments."""

    yolo_detector: "DetectorPort"
    nemotron_analyzer: "LanguageModelPort"
    model_zoo: "ModelZooPort"

    def __init__(self) -> None:
        from actors.ref import DetectorDeployment, LanguageModelDeployment, Ref

        self.yolo_detector = DetectorDeployment()
        self.nemotron_analyzer = LanguageModelDeployment()
        self.model_zoo = cast("ModelZooPort", Ref("model_zoo"))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        from actors.ref import Ref

        return Ref(name)

    def actors(self) -> list[str]:
        """The names of the actors that live now."""
        import ray.util

        return sorted(entry["name"] for entry in ray.util.list_named_actors(all_namespaces=True) if _is_ours(entry))

    def close(self) -> None:
        """Leaves the system; it runs on."""
        import ray

        ray.shutdown()

    def __enter__(self) -> "Home":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def connect(data_dir: str | None = None, address: str | None = None) -> Home:
    """Joins the system of `data_dir` (DATA_DIR when not given), or the Ray cluster at `address`.

    Raises NotRunning.
    """
    if address is None:
        folder = Path(data_dir).absolute() if data_dir else load_settings().data_dir
        running = read_system(folder)
        if running is None or running.ray_address is None:
            raise NotRunning(f"no system of {folder} is up: start one with `hsi up`, or say which by data_dir=")
        address = running.ray_address
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ["RAY_AUTH_TOKEN_PATH"] = str(running.ray_token_path)
    # The modes of the running cluster, which its clients must share; Ray reads them when it is first imported.
    os.environ["RAY_SERVE_THROUGHPUT_OPTIMIZED"] = "1"
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    import ray

    if not ray.is_initialized():
        ray.init(address=address, namespace="home-security", log_to_driver=False, configure_logging=False)
    return Home()


def _is_ours(entry: dict[str, str]) -> bool:
    return entry["namespace"] == "home-security"
