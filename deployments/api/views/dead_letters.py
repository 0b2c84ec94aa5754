"""Dead letters handled: tried again, with the doorbell of whoever is to try, or put aside."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import Field

from deployments.api.errors import InvalidField
from deployments.api.pages import Page
from deployments.api.parameters import LARGEST_ID, Checked, Paging
from domain.pagination import CursorValue, encode_cursor
from schemas.audit import Caller
from schemas.dead_letter import Cleared, DeadLetter, DeadQueue, Requeued
from storage.dead_letters import DeadLetters
from storage.doorbells import Doorbells

_BELLS = {DeadQueue.DETECTION: "media", DeadQueue.ANALYSIS: "batches", DeadQueue.NOTIFICATION: "deliveries"}


class Wanted(Checked):
    ids: tuple[str, ...] | None = Field(default=None, min_length=1, max_length=1000)
    """Dead letters by the `id` of their list; without it the one that has been dead longest."""


class DeadLetterPage(Page):
    jobs: tuple[DeadLetter, ...]


class DeadLetterOffice:
    def __init__(self, letters: DeadLetters, bells: Doorbells) -> None:
        self._letters = letters
        self._bells = bells

    async def list(self, queue: DeadQueue, query: Paging) -> DeadLetterPage:
        """Raises BadCursor."""
        found = await self._letters.list(queue, before=_place(queue, query), limit=query.limit + 1, offset=query.offset)
        kept = found[: query.limit]
        return DeadLetterPage(
            jobs=tuple(letter for letter, _ in kept),
            count=len(kept),
            limit=query.limit,
            offset=query.offset,
            next_cursor=encode_cursor(_key(queue, *kept[-1])) if len(found) > query.limit else None,
        )

    async def requeue(self, queue: DeadQueue, wanted: Wanted, caller: Caller) -> Requeued:
        """Raises InvalidField or NotFound."""
        ids = None if wanted.ids is None else [_row_id(queue, one, number) for number, one in enumerate(wanted.ids)]
        done = await self._letters.requeue(queue, ids, caller)
        await self._bells.ring(_BELLS[queue])
        return done

    async def requeue_all(self, queue: DeadQueue, caller: Caller) -> Requeued:
        done = await self._letters.requeue_all(queue, caller)
        await self._bells.ring(_BELLS[queue])
        return done

    async def clear(self, queue: DeadQueue, caller: Caller) -> Cleared:
        return await self._letters.clear(queue, caller)


def _place(queue: DeadQueue, query: Paging) -> tuple[datetime, int | UUID] | None:
    place = query.place(datetime, int if queue is DeadQueue.DETECTION else UUID)
    return place  # type: ignore[return-value]  # as the kinds say


def _key(queue: DeadQueue, letter: DeadLetter, moment: datetime) -> Sequence[CursorValue]:
    return [moment, int(letter.id) if queue is DeadQueue.DETECTION else UUID(letter.id)]


def _row_id(queue: DeadQueue, given: str, number: int) -> int | UUID:
    if queue is DeadQueue.DETECTION:
        if given.isascii() and given.isdecimal() and 1 <= len(given) <= 19 and 1 <= int(given) <= LARGEST_ID:
            return int(given)
        raise InvalidField(f"ids.{number}", f"an id of {queue.value} is a whole number from its list")
    try:
        return UUID(given)
    except ValueError:
        raise InvalidField(f"ids.{number}", f"an id of {queue.value} is a UUID from its list") from None
