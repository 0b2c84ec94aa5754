"""What an engine puts on the disk: the errors that its processes write, and the sockets between them.

Both stand in one folder for each process that runs engines. vLLM by itself leaves every socket in the temporary folder,
for ever where a process is killed; ours goes with the process, or, where that was killed, when a system ends or an
engine starts on this machine.
"""

import atexit
import contextlib
import fcntl
import json
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

from language.errors import ModelUnusable

_MOST_LOG = 256 * 1024
_FAILED_STARTS = ("EngineCore failed to start", "WorkerProc failed to start", "died unexpectedly")
_LOGGING, _SOCKETS = "VLLM_LOGGING_CONFIG_PATH", "VLLM_RPC_BASE_PATH"
_PREFIX = "hsi-vllm-"
_LONGEST_SOCKET = 107  # bytes of a path that the system takes
_SOCKET_NAME = 36  # vLLM names them by UUIDs


class EngineFiles:
    """The files of one start. vLLM gives its caller no more than "see above" for what its processes write as errors.

    The log is the same file for every engine of this process, whose vLLM keeps it open, and begins empty with each.
    Raises ModelUnusable where nothing can be written.
    """

    def __init__(self) -> None:
        try:
            self._folder = _folder()
            self._folder.mkdir(mode=0o700, exist_ok=True)  # a machine may tidy its temporary folder up
            self._errors = self._folder / "errors.log"
            self._errors.write_bytes(b"")
            settings = self._folder / "logging.json"
            settings.write_text(json.dumps(_logging(self._errors)))
        except OSError as error:
            raise ModelUnusable(
                f"nothing can be written below {tempfile.gettempdir()} ({error.strerror}): "
                "mend that, or set TMPDIR to another folder"
            ) from error
        _set(_LOGGING, settings)
        if len(os.fsencode(self._folder)) + 1 + _SOCKET_NAME <= _LONGEST_SOCKET:
            _set(_SOCKETS, self._folder)

    def text(self) -> str:
        try:
            with self._errors.open("rb") as file:
                file.seek(max(0, self._errors.stat().st_size - _MOST_LOG))
                return file.read().decode(errors="replace")
        except OSError:
            return ""

    def tells_of_failed_start(self) -> bool:
        said = self.text()
        return any(line in said for line in _FAILED_STARTS)

    def close(self) -> None:
        for name in (_LOGGING, _SOCKETS):
            if os.environ.get(name, "").startswith(str(self._folder)):
                del os.environ[name]
        with contextlib.suppress(OSError):  # the machine has tidied it up
            for path in self._folder.iterdir():
                if path.is_socket():
                    path.unlink()


def _set(name: str, path: Path) -> None:
    """Whoever chose a place for vLLM keeps it; the folder of a process above this one was not chosen by anybody."""
    if f"/{_PREFIX}" in os.environ.get(name, f"/{_PREFIX}"):
        os.environ[name] = str(path)


@cache
def _folder() -> Path:
    """This process's, held by a lock that ends with it whatever ends it. It has its name from when it is locked on."""
    remove_orphans()
    making = Path(tempfile.mkdtemp(prefix=f"new-{_PREFIX}"))
    lock = os.open(making / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    folder = making.rename(making.with_name(making.name.removeprefix("new-")))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def remove_orphans() -> None:
    """Of processes that were killed, as Serve does with its replicas at the end."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):  # another user's, or removed by another process just now
            lock = os.open(folder / "lock", os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
            finally:
                os.close(lock)


def _logging(errors: Path) -> dict[str, object]:
    handlers = {
        "stderr": {"class": "logging.StreamHandler", "level": "WARNING", "formatter": "plain"},
        "errors": {
            "class": "logging.FileHandler",
            "filename": str(errors),
            "level": "ERROR",
            "formatter": "plain",
            "delay": True,
        },
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"plain": {"format": "%(levelname)s %(name)s: %(message)s"}},
        "handlers": handlers,
        "loggers": {"vllm": {"handlers": list(handlers), "level": "WARNING", "propagate": False}},
    }
