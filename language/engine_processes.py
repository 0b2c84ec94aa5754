"""An engine's processes: the surroundings that they start in, and that none of them stays behind."""

import contextlib
import logging
import multiprocessing
import os
import re
from pathlib import Path

import psutil

_log = logging.getLogger(__name__)
_SHARED = re.compile(r" (/dev/shm/(?:psm_|sem\.mp-)\S+)$", re.MULTILINE)
_ENGINE = "EngineCore"


def prepare_environment(*, offline: bool) -> None:
    """What vLLM reads when it is imported and what its processes inherit. Who set a variable keeps it."""
    quiet = {
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        "VLLM_LOGGING_LEVEL": "WARNING",
        "VLLM_WORKER_MULTIPROC_METHOD": "spawn",  # this process has threads and an event loop: a fork may hang
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
    if offline:
        quiet["HF_HUB_OFFLINE"] = "1"
    for name, value in quiet.items():
        os.environ.setdefault(name, value)


class EngineProcesses:
    """The processes that come to be between its making and `seen`, those below them, and their end."""

    def __init__(self) -> None:
        self._before = {child.pid for child in multiprocessing.active_children()}
        self._known: dict[int, psutil.Process] = {}
        self._cores: set[multiprocessing.process.BaseProcess] = set()
        self._shared: set[Path] = set()

    def see(self) -> None:
        """Remembers who is there now; a worker whose parent died is not found any more afterwards."""
        for child in multiprocessing.active_children():
            if child.pid in self._before or child.pid is None or not child.name.startswith(_ENGINE):
                continue
            with contextlib.suppress(psutil.Error):
                root = psutil.Process(child.pid)
                self._cores.add(child)
                for process in (root, *root.children(recursive=True)):
                    self._known[process.pid] = process
                    self._shared |= shared_memory(process.pid)

    def pids(self) -> list[int]:
        return [pid for pid, process in self._known.items() if _alive(process)]

    def end(self) -> None:
        """Kills what is left; psutil knows a process from a later one with the same number."""
        self.see()
        left = [process for process in self._known.values() if _alive(process)]
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        for child in self._cores:  # psutil's waiting would leave multiprocessing in the belief that it lives
            child.join(10)
        if left:
            _, staying = psutil.wait_procs(left, timeout=10)
            for process in staying:
                _log.warning("process %d of the language model's engine does not end", process.pid)
        for path in self._shared - shared_memory(os.getpid()):
            with contextlib.suppress(OSError):
                path.unlink()
        self._shared.clear()
        self._known.clear()
        self._cores.clear()


def shared_memory(pid: int) -> set[Path]:
    """What Python's processes share with that one in /dev/shm, where it stays when they are killed."""
    try:
        return {Path(found) for found in _SHARED.findall(Path(f"/proc/{pid}/maps").read_text())}
    except OSError:  # it is gone, or this is no Linux
        return set()


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
