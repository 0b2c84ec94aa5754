"""The user that our own servers run as when we are root: PostgreSQL refuses root, and Redis is safer without."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from storage.errors import StoreSetupFailed

NAME = "pgserver"
_CREATE = (
    ("useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent", NAME),
    ("adduser", "-S", "-D", "-H", "-h", "/nonexistent", NAME),  # BusyBox
)
# Where nobody may be added (a read-only /etc). Another service of the same name could then read our data.
_EXISTING = ("postgres", "nobody")
_MEND = "run the program as an ordinary user, or set DATABASE_URL and REDIS_URL to servers of your own"


@dataclass(frozen=True)
class Account:
    name: str
    uid: int
    gid: int


def service_account(data: Path) -> Account | None:
    """Whoever owns `data` already, else `pgserver`, which is created if need be; None when we are not root."""
    if os.geteuid() != 0:
        return None
    if data.exists() and (owner := data.stat()).st_uid != 0:
        return Account(_name_of(owner.st_uid), owner.st_uid, owner.st_gid)
    account = _named(NAME) or _created() or next(filter(None, map(_named, _EXISTING)), None)
    if account is None:
        raise StoreSetupFailed(
            f"PostgreSQL does not run as root, and the user {NAME} could not be created: "
            f"create it (useradd --system {NAME}), {_MEND}"
        )
    return account


def permits(account: Account | None, test: str, path: Path) -> bool:
    """Whether `test -<test> path` holds for that user, asked of the kernel and so true of ACLs and mounts as well."""
    if account is None:
        return True
    command = ["/bin/sh", "-c", f'test -{test} "$0"', str(path)]
    return run_as(account, command, timeout=10).returncode == 0


def run_as(
    account: Account | None,
    command: list[str],
    timeout: float,
    stdin: str = "",
    environment: dict[str, str] | None = None,
) -> "subprocess.CompletedProcess[str]":
    """Run a short program to its end as that user, in `/`, with its output captured."""
    try:
        return subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            cwd="/",
            env=environment or {"PATH": os.defpath, "LC_ALL": "C"},
            timeout=timeout,
            umask=0o077,
            check=False,
            user=account.uid if account is not None else None,
            group=account.gid if account is not None else None,
            extra_groups=[] if account is not None else None,
        )
    except PermissionError as error:
        name = account.name if account is not None else "this user"
        raise StoreSetupFailed(f"{command[0]} cannot be run as {name} ({error.strerror}): {_MEND}") from error
    except subprocess.TimeoutExpired as error:
        raise StoreSetupFailed(f"{os.path.basename(command[0])} did not end within {timeout:.0f} s") from error


def _named(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(name, entry.pw_uid, entry.pw_gid)


def _created() -> Account | None:
    path = os.defpath + ":/usr/local/sbin:/usr/sbin:/sbin"
    for command in _CREATE:
        try:
            subprocess.run(command, capture_output=True, timeout=30, check=False, env={"PATH": path})
        except (OSError, subprocess.TimeoutExpired):
            continue
        if account := _named(NAME):
            return account
    return None


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
