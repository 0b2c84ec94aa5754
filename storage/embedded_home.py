"""Where one of our own servers keeps its files, and the programs it is made of.

    DATA_DIR/postgres/            ours: password, port, configuration, lock
    DATA_DIR/postgres/data/       the server's own, readable by nobody else
    DATA_DIR/postgres/programs-*/ a copy of the binaries, only where the server's user cannot reach the installed ones

As root the servers run as another user, and that user cannot enter a folder such as /root/project/data. Then the
folder is made as /var/lib/hsi-<hash of DATA_DIR>/postgres instead, and DATA_DIR/postgres is a symbolic link to it.
"""

import errno
import fcntl
import hashlib
import importlib.util
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from storage.embedded_account import Account, permits, service_account
from storage.errors import AlreadyRunning, StoreSetupFailed

OUTSIDE = Path("/var/lib")


@dataclass(frozen=True)
class StoreHome:
    directory: Path
    account: Account | None
    """Whom the server runs as; None: as we do."""

    @property
    def data(self) -> Path:
        return self.directory / "data"

    def make_own(self, folder: Path) -> None:
        """Make a folder that belongs to the server's user alone."""
        folder.mkdir(mode=0o700)
        self._give(folder)

    def write(self, name: str, content: str, *, secret: bool) -> None:
        """Replace a file that the server reads; a secret one can be read by its user (and root) only."""
        path, fresh = self.directory / name, self.directory / f".{name}.new"
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(os.fsencode(content))
            file.flush()
            os.fsync(file.fileno())
        if secret:
            self._give(fresh)
        else:
            fresh.chmod(0o644)
        fresh.rename(path)

    def password(self) -> tuple[str, bool]:
        """The password, and whether it was made just now; it is kept here and nowhere else."""
        path = self.directory / "password"
        if path.exists() and (known := path.read_text().strip()):
            return known, False
        made = secrets.token_urlsafe(32)
        self.write("password", made, secret=True)
        return made, True

    @property
    def port(self) -> int | None:
        """The port of the last start."""
        try:
            return int((self.directory / "port").read_text())
        except (OSError, ValueError):
            return None

    def remember_port(self, port: int) -> None:
        (self.directory / "port").write_text(f"{port}\n")

    def lock(self) -> int:
        """Hold this folder until the returned descriptor is closed; `AlreadyRunning` when someone else does."""
        descriptor = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise AlreadyRunning(
                    f"another program is running a server in {self.directory}: stop it first"
                ) from None
            raise
        return descriptor

    def _give(self, path: Path) -> None:
        if self.account is not None:
            os.chown(path, self.account.uid, self.account.gid)


def open_home(data_dir: Path, name: str, outside: Path = OUTSIDE) -> StoreHome:
    """The home of the store `name`, made on first use; `StoreSetupFailed` names what to do when it cannot be."""
    place = data_dir / name
    if not data_dir.is_dir():
        data_dir.mkdir(parents=True)
        if os.geteuid() == 0:
            data_dir.chmod(0o755)
    if place.is_symlink() and not place.exists():
        raise StoreSetupFailed(
            f"{place} points to {os.readlink(place)}, which is gone: restore it from a backup, or remove the link to "
            "begin with an empty store"
        )
    account = service_account(place / "data")
    if not place.exists():
        _make(place, account, outside)
    home = StoreHome(place.resolve(), account)
    if not permits(account, "x", home.directory):
        raise StoreSetupFailed(
            f"the user {_called(account)}, whom the server runs as, cannot enter {home.directory}: make every folder "
            "above it passable (chmod o+x), or move DATA_DIR to a place such as /srv/hsi"
        )
    _refuse_foreign_data(home)
    return home


def _make(place: Path, account: Account | None, outside: Path) -> None:
    if permits(account, "x", place.parent):
        place.mkdir(mode=0o700)
    else:
        digest = hashlib.sha256(os.fsencode(place.parent)).hexdigest()[:12]
        folder = outside / f"hsi-{digest}"
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        folder.chmod(0o711)
        (folder / "DATA_DIR").write_bytes(os.fsencode(place.parent) + b"\n")
        target = folder / place.name
        if target.exists():
            # DATA_DIR was deleted and made again: whoever did that wants to begin anew, but we delete no data.
            target.rename(_free_name(target))
        target.mkdir()
        place.symlink_to(target)
    if account is not None:
        place.chmod(0o711)


def _free_name(path: Path) -> Path:
    number = 1
    while (candidate := path.with_name(f"{path.name}.left-{number}")).exists():
        number += 1
    return candidate


def _refuse_foreign_data(home: StoreHome) -> None:
    if home.account is None and home.data.exists() and home.data.stat().st_uid != os.geteuid():
        raise StoreSetupFailed(
            f"{home.data} belongs to another user (it was made when the program ran as root?): run the program as "
            f"then, or give the folder to yourself (sudo chown -R $USER {home.directory})"
        )


def programs(home: StoreHome, package: str, needed: tuple[str, ...], probe: str) -> Path:
    """The folder of the installed wheel's binaries, or a copy of it that the server's user can reach.

    `needed` are the parts of site-packages to copy; `probe` is a program among them, relative to site-packages.
    """
    found = importlib.util.find_spec(package)  # finds, does not import: the wheels do things when imported
    if found is None or not found.submodule_search_locations:
        raise StoreSetupFailed(f"the package {package} is not installed: run make setup")
    site = Path(found.submodule_search_locations[0]).parent
    if not (site / probe).exists():
        raise StoreSetupFailed(f"{site / probe} is missing: install the package {package} again (make setup)")
    if permits(home.account, "x", site / probe):
        return site
    copy = home.directory / f"programs-{version(package)}"
    if not copy.exists():
        for old in home.directory.glob("programs-*"):
            shutil.rmtree(old)
        partial = home.directory / "programs-partial"
        for part in needed:
            shutil.copytree(site / part, partial / part, symlinks=True)
        _open_up(partial)
        partial.rename(copy)
    if not permits(home.account, "x", copy / probe):
        raise StoreSetupFailed(
            f"the user {_called(home.account)} can run programs neither from {site} nor from {copy} (is it mounted "
            "noexec?): install the program outside of /root, for example below /opt"
        )
    return copy


def _open_up(folder: Path) -> None:
    for root, _, names in os.walk(folder):
        os.chmod(root, 0o755)
        for path in (Path(root, name) for name in names):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | 0o444 | (0o111 if os.access(path, os.X_OK) else 0))


@contextmanager
def setup_errors(data_dir: Path) -> Iterator[None]:
    """What the system refuses while a store is set up, said so that an operator can mend it."""
    try:
        yield
    except OSError as error:
        where = error.filename or data_dir
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(data_dir) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST):
            raise StoreSetupFailed(
                f"{where} cannot be used ({error.strerror}): make {data_dir} a folder that this user may write to, "
                "or set DATA_DIR to one"
            ) from error
        raise StoreSetupFailed(f"{where}: {error.strerror or error}") from error


def require_space(directory: Path, megabytes: int) -> None:
    """Refuse a disk that is too full to begin on, before anything half-made lies on it."""
    if shutil.disk_usage(directory).free < megabytes * 1_000_000:
        raise disk_full(directory, f", at least {megabytes} MB are needed")


def disk_full(directory: Path, wanted: str = "") -> StoreSetupFailed:
    try:
        free = f"{shutil.disk_usage(directory).free / 1e6:.0f} MB are free"
    except OSError:
        free = "nothing is free"
    return StoreSetupFailed(
        f"the disk that holds {directory} is full: {free}{wanted}; free some, or set DATA_DIR to another disk"
    )


def _called(account: Account | None) -> str:
    return account.name if account is not None else "running this program"
