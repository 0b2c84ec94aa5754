"""How many frames were finished, and how fast: over the last sixty seconds, by a clock that is passed in."""

import threading
from collections import deque

WINDOW_SECONDS = 60.0


class FrameCounter:
    """Safe to call from several threads; keeps one entry a second at most."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds: deque[tuple[int, int, float]] = deque()
        """(second, frames, milliseconds spent) of every second in which something was finished."""
        self.finished = 0

    def add(self, frames: int, seconds_spent: float, now: float) -> None:
        with self._lock:
            self.finished += frames
            second, milliseconds = int(now), seconds_spent * 1e3
            if self._seconds and self._seconds[-1][0] >= second:
                last, count, spent = self._seconds.pop()
                self._seconds.append((last, count + frames, spent + milliseconds))
            else:
                self._seconds.append((second, frames, milliseconds))
            self._forget(now)

    def last_minute(self, now: float) -> int:
        """Frames finished in the last 60 s."""
        with self._lock:
            self._forget(now)
            return sum(frames for _, frames, _ in self._seconds)

    def frames_per_second(self, now: float) -> float:
        """Frames finished in the last 60 s, over 60."""
        return self.last_minute(now) / WINDOW_SECONDS

    def milliseconds_per_frame(self, now: float) -> float | None:
        """Mean over the last 60 s; None where no frame was finished in them."""
        with self._lock:
            self._forget(now)
            frames = sum(count for _, count, _ in self._seconds)
            return sum(spent for _, _, spent in self._seconds) / frames if frames else None

    def _forget(self, now: float) -> None:
        while self._seconds and self._seconds[0][0] <= now - WINDOW_SECONDS:
            self._seconds.popleft()
