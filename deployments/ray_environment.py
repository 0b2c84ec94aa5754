"""The environment that Ray must find before it starts: the fast ingress, loopback, a token, no telemetry.

Everything here is read by Ray's own processes when they start, so it is set in the starting process before.
"""

import hashlib
import os
import secrets
import socket
from pathlib import Path

from settings import Settings

PORTS_A_SYSTEM = 128
SOCKET_SECONDS = 24 * 3600
"""How long a socket may live on in a HAProxy that another has followed, as happens whenever a replica comes or goes."""
LARGEST_STACK_BYTES = 512 * 1024 * 1024
"""What one call to the detector may carry: 32 frames of 1280×1280 are 150 MB."""

_NAME_THE_CLIENT = "option forwardfor"
"""Ray's template for HAProxy has no place for this, but copies its list of what to retry letter by letter."""

_claims: list[socket.socket] = []


def proxy_names_client() -> bool:
    """In a process of the cluster: whether its HAProxy adds its own peer to X-Forwarded-For."""
    return _NAME_THE_CLIENT in os.environ.get("RAY_SERVE_HAPROXY_RETRY_ON", "")


def ray_environment(settings: Settings) -> dict[str, str]:
    """The variables for a cluster of our own; docs/decisions/0003 says why each."""
    run = _short_folder(settings.data_dir)
    ports = _free_block(settings.data_dir, {settings.api_port, settings.ray_dashboard_port})
    return {
        "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        "RAY_SERVE_HAPROXY_NBTHREAD": "2",
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": f"{run}/haproxy.cfg",
        "RAY_SERVE_HAPROXY_SOCKET_PATH": f"{run}/admin.sock",
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": f"{run}/metrics.sock",
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": run,
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": f"{run}/server-state",
        "RAY_SERVE_HAPROXY_STATS_PORT": str(ports + 2),
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(ports + 3),
        "RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S": str(SOCKET_SECONDS),
        "RAY_SERVE_HAPROXY_RETRY_ON": f"conn-failure\n    {_NAME_THE_CLIENT}",
        "RAY_SERVE_HAPROXY_LOG_TARGET": f"{run}/nobody-listens",
        "FORWARDED_ALLOW_IPS": "",
        "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(ports),
        "RAY_SERVE_FALLBACK_PROXY_GRPC_PORT": str(ports + 1),
        "RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT": str(ports + 4),
        "RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT": str(ports + PORTS_A_SYSTEM // 2 - 1),
        "RAY_SERVE_DIRECT_INGRESS_MIN_GRPC_PORT": str(ports + PORTS_A_SYSTEM // 2),
        "RAY_SERVE_DIRECT_INGRESS_MAX_GRPC_PORT": str(ports + PORTS_A_SYSTEM - 1),
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "1",
        "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "60",
        "RAY_SERVE_PROXY_HEALTH_CHECK_PERIOD_S": "2",
        "RAY_SERVE_PROXY_HEALTH_CHECK_TIMEOUT_S": "5",
        "RAY_SERVE_CONTROL_LOOP_INTERVAL_S": "0.5",
        "RAY_SERVE_REPLICA_GRPC_MAX_MESSAGE_LENGTH": str(LARGEST_STACK_BYTES),
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "RAY_ENABLE_AUTO_CONNECT": "0",
        "RAY_USAGE_STATS_ENABLED": "0",
        "VLLM_NO_USAGE_STATS": "1",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(ray_token(settings.data_dir)),
        "DATA_DIR": str(settings.data_dir),
    }


def ray_token(data_dir: Path) -> Path:
    """The file with the token that every process of this cluster presents; made once, for its owner's eyes only."""
    path = data_dir / "run" / "ray_token"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path
    with open(descriptor, "w") as file:
        file.write(secrets.token_hex(32))
    return path


def _short_folder(data_dir: Path) -> str:
    """A folder of this system's own below /tmp: a Unix socket's path must be shorter than 108 characters."""
    folder = Path("/tmp") / f"hsi-{os.getuid()}-{hashlib.sha256(str(data_dir).encode()).hexdigest()[:12]}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to somebody else: remove it")
    return str(folder)


def _free_block(data_dir: Path, spoken_for: set[int]) -> int:
    """The first of as many ports as a system may need for its replicas and proxies, none of which is in use.

    Nor `spoken_for`, which are bound later. No single free ports: what a machine hands out for the asking it may hand
    out again before it is bound. Serve shares ports (SO_REUSEPORT): two systems that took the same ones would answer
    each other's requests.
    """
    for claim in _claims:  # of an earlier call: a process runs one system
        claim.close()
    _claims.clear()
    blocks = range(10_000, 19_900, PORTS_A_SYSTEM)
    first = int.from_bytes(hashlib.sha256(str(data_dir).encode()).digest()[:4]) % len(blocks)
    for number in range(len(blocks)):
        block = blocks[(first + number) % len(blocks)]
        wanted = range(block, block + PORTS_A_SYSTEM)
        if spoken_for.isdisjoint(wanted) and all(_is_free(port) for port in wanted) and _claim(block):
            return block
    raise OSError("no ports are free between 10000 and 19900: end the programs that hold them")


def _claim(block: int) -> bool:
    """Keeps others off these ports while none of them is bound yet, and as long as this process lives."""
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0hsi-ports-{block}")  # a name in the kernel alone, in the same network namespace as the ports
    except OSError:
        claim.close()
        return False
    _claims.append(claim)
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
    return True
