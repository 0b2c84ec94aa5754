"""Whose turn it is: so many questions at once, a bounded number waiting, the most pressing first.

take ──a place is free──▶ taken ──give_back──▶ the next one's turn, by priority, then by age
  └─────none is free────▶ waiting ──one that presses more takes the last place to wait──▶ sent away
"""

import asyncio
from bisect import insort
from dataclasses import dataclass, field

from language.errors import ModelAway, ModelBusy


@dataclass(order=True)
class _Waiting:
    priority: int
    number: int
    turn: "asyncio.Future[None]" = field(compare=False)


class Turns:
    """Used from one event loop."""

    def __init__(self, at_once: int, most_waiting: int | None = None) -> None:
        """Without `most_waiting` nobody is sent away for want of room: whoever asks bounds itself."""
        self.at_once = at_once
        """May be changed: one that is raised is used from the next `take` or `give_back` on."""
        self._most_waiting = most_waiting
        self._line: list[_Waiting] = []
        self._asked = 0
        self.taken = 0

    @property
    def waiting(self) -> int:
        return len(self._line)

    async def take(self, priority: int) -> None:
        """Returns when it is this question's turn; `give_back` must follow. Raises ModelBusy when too many wait."""
        if self.taken < self.at_once and not self._line:
            self.taken += 1
            return
        self._asked += 1
        mine = _Waiting(priority, self._asked, asyncio.get_running_loop().create_future())
        self._make_room(mine)
        insort(self._line, mine)
        try:
            await mine.turn
        except asyncio.CancelledError:
            if mine.turn.done() and not mine.turn.cancelled() and mine.turn.exception() is None:
                self.give_back()  # its turn had come in the same moment
            elif mine in self._line:
                self._line.remove(mine)
            raise

    def give_back(self) -> None:
        self.taken -= 1
        while self._line and self.taken < self.at_once:
            following = self._line.pop(0)
            if not following.turn.done():
                following.turn.set_result(None)
                self.taken += 1

    def send_away(self, reason: str) -> None:
        """Everybody who waits: there is nobody to ask any more."""
        line, self._line = self._line, []
        for one in line:
            _send_away(one, ModelAway(reason))

    def _make_room(self, mine: _Waiting) -> None:
        if self._most_waiting is None or len(self._line) < self._most_waiting:
            return
        busy = f"busy: {self.taken} questions are being answered and {len(self._line)} wait"
        if not self._line or self._line[-1].priority <= mine.priority:
            raise ModelBusy(busy)
        _send_away(self._line.pop(), ModelBusy(f"{busy}, all of them more pressing"))


def _send_away(one: _Waiting, error: ModelAway) -> None:
    if not one.turn.done():
        one.turn.set_exception(error)
