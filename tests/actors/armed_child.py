"""A real process with its log and its figures armed, doing what the test tells it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
_PROGRAM = """
import asyncio, json, logging, sys, threading
import actors.metrics as metrics
from actors.process import arm_process, flush_process
from settings import load_settings
from storage.log_context import about_camera, request_id

arm_process(sys.argv[1], load_settings())
log = logging.getLogger("actors.of_the_test")
told = {}
for line in sys.stdin:
    exec(json.loads(line))
    print("done", flush=True)
"""


class ArmedChild:
    def __init__(self, component: str, environment: Mapping[str, str]) -> None:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, component],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=kept | dict(environment),
        )

    def do(self, code: str) -> None:
        """Returns when it is done."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(code) + "\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n", self._process.communicate()[1]

    def end(self) -> str:
        """Ends as a program does that has nothing left to do; what it printed to stderr."""
        printed = self._process.communicate(timeout=60)[1]
        assert self._process.returncode == 0, printed
        return printed

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


@contextmanager
def armed_child(component: str, environment: Mapping[str, str]) -> Iterator[ArmedChild]:
    child = ArmedChild(component, environment)
    try:
        yield child
    finally:
        child.kill()
