"""Which files in a camera's folder are uploads, and when one of them is complete.

first seen ──size or mtime changes──▶ (waits again) ──unchanged for 2 s──▶ settled
     │                                                     └─ too small, unchanged for 60 s ─▶ refused
     └──written long before it was seen: 0.5 s──▶ settled
"""

from dataclasses import dataclass
from enum import StrEnum
from heapq import heapify, heappop, heappush

from pydantic import Field

from schemas.frozen import Frozen
from schemas.media import MediaType

_KINDS = {
    ".jpg": MediaType.IMAGE,
    ".jpeg": MediaType.IMAGE,
    ".png": MediaType.IMAGE,
    ".mp4": MediaType.VIDEO,
    ".mkv": MediaType.VIDEO,
    ".avi": MediaType.VIDEO,
    ".mov": MediaType.VIDEO,
}
_LEAST_BYTES = {MediaType.IMAGE: 10 * 1024, MediaType.VIDEO: 1024}


class StabilityPolicy(Frozen):
    debounce_seconds: float = Field(default=0.5, ge=0)
    """No file is taken sooner than this after its last change."""
    stable_seconds: float = Field(default=2.0, ge=0)
    """Size and modification time must not have changed for so long."""
    small_seconds: float = Field(default=60.0, ge=0)
    """A file that is too small is given so long to grow before it is refused."""
    most_files: int = Field(default=100_000, ge=1)
    """Watched at once; the next one must be found again by a rescan."""


class Observed(StrEnum):
    """What became of one observation."""

    WATCHED = "watched"
    IGNORED = "ignored"
    """Its name is not that of a finished picture or clip."""
    NO_ROOM = "no_room"
    """As many files as may be are being watched: scan the folder again once some have settled."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A file that stopped changing. What is on disk may have changed since: look once more before taking it."""

    path: str
    size: int
    modified_ns: int
    kind: MediaType
    refused: str | None = None
    """Why it is not worth looking at."""


def kind(name: str) -> MediaType | None:
    """What the file is by its name or path; None for what is no upload, or one that is still being written."""
    name = name.rpartition("/")[2]
    if name.startswith((".", "~")):
        return None
    _, dot, extension = name.rpartition(".")
    return _KINDS.get((dot + extension).lower())


def too_small(kind: MediaType, size: int) -> bool:
    """Whether a file of that many bytes cannot be a usable picture (10 KB) or clip (1 KB)."""
    return size < _LEAST_BYTES[kind]


@dataclass(slots=True)
class _Watched:
    size: int
    modified_ns: int
    kind: MediaType
    changed_at: float
    unchanged_for: float
    """How long it had been as it is when it was last found changed: above 0 only at first sight."""
    turn: int = 0
    """Which of its entries in the queue is the valid one."""
    queued_for: float = 0.0


class SettlingFiles:
    """The files that are being written, or were a moment ago; bounded, and lost without harm: a rescan finds them."""

    def __init__(self, policy: StabilityPolicy | None = None) -> None:
        self._policy = policy or StabilityPolicy()
        self._files: dict[str, _Watched] = {}
        # One valid entry a watched file, at the time or before the time at which it is due: a file that is written to
        # is not queued again at each write, but moved back when its turn comes.
        self._queue: list[tuple[float, int, str]] = []
        self._turns = 0

    def __len__(self) -> int:
        return len(self._files)

    def observe(self, path: str, size: int, modified_ns: int, now_monotonic: float, now_wall: float) -> Observed:
        """The file looks so now; `now_wall` in seconds since 1970, by the clock that wrote the modification time.

        A file whose modification time lies further back than the stable time when it is first seen (at start, in a
        rescan, or renamed into the folder, which keeps that time) has already been left alone for so long and waits
        for the debounce only. A time in the future says nothing, and such a file is watched like a new one.
        """
        known = self._files.get(path)
        if known is not None:
            if (known.size, known.modified_ns) != (size, modified_ns):
                known.size, known.modified_ns = size, modified_ns
                known.changed_at, known.unchanged_for = now_monotonic, 0.0
                if self._due(known) < known.queued_for:  # it was too small, and has grown
                    self._enqueue(path, known)
            return Observed.WATCHED
        media_type = kind(path)
        if media_type is None:
            return Observed.IGNORED
        if len(self._files) >= self._policy.most_files:
            return Observed.NO_ROOM
        unchanged_for = max(0.0, now_wall - modified_ns / 1e9)
        self._files[path] = _Watched(size, modified_ns, media_type, now_monotonic, unchanged_for)
        self._enqueue(path, self._files[path])
        return Observed.WATCHED

    def take_settled(self, now_monotonic: float) -> list[Settled]:
        """Every file that is complete, or refused for good, each handed out once and watched no longer."""
        taken = []
        while (due := self.next_due()) is not None and due <= now_monotonic:
            path = heappop(self._queue)[2]
            file = self._files.pop(path)
            refused = None
            if too_small(file.kind, file.size):
                least = _LEAST_BYTES[file.kind]
                refused = f"{file.size} bytes: too small for a complete {file.kind} ({least} at least)"
            taken.append(Settled(path, file.size, file.modified_ns, file.kind, refused))
        return taken

    def forget(self, path: str) -> None:
        """The file is gone."""
        self._files.pop(path, None)

    def next_due(self) -> float | None:
        """When `take_settled` will have something, by the monotonic clock; None while nothing is watched."""
        while self._queue:
            entry = self._queue[0]
            if not self._is_valid(entry):
                heappop(self._queue)
                continue
            due = self._due(self._files[entry[2]])
            if due <= entry[0]:
                return due
            heappop(self._queue)
            self._enqueue(entry[2], self._files[entry[2]])
        return None

    def _enqueue(self, path: str, file: _Watched) -> None:
        self._turns += 1
        file.turn, file.queued_for = self._turns, self._due(file)
        heappush(self._queue, (file.queued_for, file.turn, path))
        if len(self._queue) > 2 * len(self._files) + 64:
            self._queue = [entry for entry in self._queue if self._is_valid(entry)]
            heapify(self._queue)

    def _is_valid(self, entry: tuple[float, int, str]) -> bool:
        file = self._files.get(entry[2])
        return file is not None and file.turn == entry[1]

    def _due(self, file: _Watched) -> float:
        policy = self._policy
        needed = policy.small_seconds if too_small(file.kind, file.size) else policy.stable_seconds
        if file.unchanged_for > needed:
            needed = 0.0
        return file.changed_at + max(policy.debounce_seconds, needed)
