"""What the tests of our own servers share: asking a server something, and systems that get killed."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil

from storage.embedded import EmbeddedPostgres, EmbeddedRedis
from storage.postgres import connect_once
from tests.eventually import eventually_sync

ROOT = Path(__file__).parents[2]
IS_ROOT = os.geteuid() == 0


class SurvivingPostgres(EmbeddedPostgres):
    """Outlives its parent, as on a system without a death signal: SIGCONT does nothing to it."""

    stop_steps = ((signal.SIGCONT, 0.0), *EmbeddedPostgres.stop_steps)


class SurvivingRedis(EmbeddedRedis):
    stop_steps = ((signal.SIGCONT, 0.0), *EmbeddedRedis.stop_steps)


def ask(address: str, statement: str) -> Any:
    async def once() -> Any:
        connection = await connect_once(address, "tests")
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(once())


def killed_system(data_dir: Path, *classes: type) -> list[int]:
    """Start those servers in another process, kill -9 it, and give the servers' process ids."""
    starts = "; ".join(
        f"from {kind.__module__} import {kind.__name__} as S; s = S(Path(sys.argv[1])); s.start(); print(s.pid)"
        for kind in classes
    )
    program = f"import sys, time; from pathlib import Path; {starts}; print('up', flush=True); time.sleep(600)"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])}
    system = subprocess.Popen(
        [sys.executable, "-c", program, str(data_dir)], stdout=subprocess.PIPE, text=True, env=environment, cwd="/"
    )
    assert system.stdout is not None
    with system.stdout as output:
        lines = [line.strip() for line in iter(output.readline, "up\n") if line]
    system.kill()
    system.wait()
    return [int(line) for line in lines]


def is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def kill(server: EmbeddedPostgres | EmbeddedRedis) -> None:
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    eventually_sync(lambda: not server.is_running())


def processes_below(directory: Path) -> list[int]:
    """The processes that work in a folder or were told of it."""
    found = []
    for process in psutil.process_iter():
        try:
            words = [process.cwd(), *process.cmdline()]
        except psutil.Error:
            continue
        if any(word.startswith(str(directory)) for word in words):
            found.append(process.pid)
    return found


def all_arguments(pid: int) -> str:
    """What every user of the machine can read of a server's processes: their arguments."""
    server = psutil.Process(pid)
    return " ".join(" ".join(process.cmdline()) for process in (server, *server.children(recursive=True)))
