"""A real vLLM server as a process of its own, to be started, killed and started again on the same port."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil

from domain.clock import SystemClock
from language.engine_processes import shared_memory

START_SECONDS = 540.0  # alone a minute; a busy machine takes four
GO_SECONDS = 60.0
ENVIRONMENT = {
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_LOGGING_LEVEL": "WARNING",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
}

_clock = SystemClock()


class VllmServer:
    """`url` is what NEMOTRON_URL takes. The process has a group of its own, which goes with it."""

    def __init__(self, folder: Path, port: int, *, api_key: str | None, log: Path, arguments: Sequence[str]) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._folder = folder
        self._port = port
        self._api_key = api_key
        self._log = log
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it and waits until it answers."""
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Starts it and does not wait."""
        assert self._process is None, "it runs"
        key = {"VLLM_API_KEY": self._api_key} if self._api_key else {}
        command = [
            *(sys.executable, "-m", "vllm.entrypoints.openai.api_server"),
            *("--model", str(self._folder), "--served-model-name", "nemotron", "--host", "127.0.0.1"),
            *("--port", str(self._port), "--dtype", "bfloat16", "--enforce-eager", "--max-model-len", "8192"),
            *("--max-num-seqs", "32", "--scheduling-policy", "priority", "--disable-uvicorn-access-log"),
            *("--structured-outputs-config", '{"backend": "xgrammar", "disable_any_whitespace": true}'),
            *self._arguments,
        ]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, env=os.environ | ENVIRONMENT | key, stdout=log, stderr=log, start_new_session=True
            )

    def wait(self) -> None:
        """Until it answers; fails where it ends instead."""
        assert self._process is not None, "it does not run"
        end = _clock.monotonic() + START_SECONDS
        with httpx.Client(trust_env=False, verify=False, timeout=5) as client:
            while not self._answers(client):
                assert _clock.monotonic() < end, f"it never answered:\n{self._said()}"
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(0.5)
                assert self._process.poll() is None, f"it ended while it started:\n{self._said()}"

    def kill(self) -> None:
        """As a machine that loses power, for the server and its engine at once."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Kills it where it runs, and starts it on the same port."""
        self.kill()
        self.start()

    def stop(self) -> None:
        """In order; what does not go by itself is killed."""
        self._end(signal.SIGTERM)

    def running(self) -> int:
        """How many questions it works on."""
        lines = httpx.get(f"{self.url}/metrics", trust_env=False, verify=False, timeout=30).text.splitlines()
        return int(sum(float(line.split()[-1]) for line in lines if line.startswith("vllm:num_requests_running{")))

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        shared = _shared_memory(process.pid)
        try:
            with suppress(subprocess.TimeoutExpired, ProcessLookupError):
                os.killpg(process.pid, how)
                process.wait(GO_SECONDS)
        finally:
            with suppress(ProcessLookupError):  # the engine is a child that may outlive its server
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(GO_SECONDS)
            for path in shared:
                path.unlink(missing_ok=True)

    def _answers(self, client: httpx.Client) -> bool:
        try:
            return client.get(f"{self.url}/health").status_code == 200
        except httpx.HTTPError:
            return False

    def _said(self) -> str:
        return self._log.read_text(errors="replace")[-4000:]


def _shared_memory(pid: int) -> set[Path]:
    """Of the server and those below it: what a killed one leaves in /dev/shm, some hundred MB on paper."""
    with suppress(psutil.Error):
        server = psutil.Process(pid)
        pids = [pid, *(child.pid for child in server.children(recursive=True))]
        return set[Path]().union(*map(shared_memory, pids))
    return set()


@contextmanager
def vllm_server(
    model_folder: Path, port: int, *, api_key: str | None = None, log: Path, arguments: Sequence[str] = ()
) -> Iterator[VllmServer]:
    """Answers when it is given; gone, with every process of its own, when it is taken back."""
    server = VllmServer(model_folder, port, api_key=api_key, log=log, arguments=arguments)
    try:
        server.start()
        yield server
    finally:
        server.stop()
