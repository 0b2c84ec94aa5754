"""A person's wishes about services: checked, carried out one at a time a service, recorded.

wish ──refused──▶ why not                     (nothing happens, nothing is recorded)
  └──▶ in hand ──done within 7 s──▶ the service as it is then
          └──takes longer──▶ "is under way"; it goes on, and what came of it is recorded at its end
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from actors.ports import ServiceRefused
from actors.service_rows import merged, service_row
from actors.supervised_service import ByHand, SupervisedService, SupervisorTools, observe
from domain.service_actions import Limits, refusal
from domain.supervision import Observation
from domain.watch import Watch
from schemas.audit import AuditAction, AuditStatus, Caller, NewAuditEntry
from schemas.service import Service, ServiceAction, ServiceActionDone, ServiceStatus
from storage.errors import Conflict, NotFound, StoreUnavailable

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 7.0
"""The API waits for 10 s."""
COMING_UP_SECONDS = 5.0
"""So long a service that was started is looked at before the answer says that it is still starting."""
MOST_SECONDS = 900.0
"""Each replica of a deployment has its own, shorter time."""
LOOK_AGAIN_SECONDS = 0.1

NOBODY_HERE = "nobody here starts or ends it"

_AUDITED = {
    ServiceAction.RESTART: AuditAction.SERVICE_RESTART,
    ServiceAction.START: AuditAction.SERVICE_START,
    ServiceAction.ENABLE: AuditAction.SERVICE_ENABLE,
    ServiceAction.DISABLE: AuditAction.SERVICE_DISABLE,
}
_DONE = {
    ServiceAction.RESTART: "restarted",
    ServiceAction.START: "started",
    ServiceAction.ENABLE: "enabled",
    ServiceAction.DISABLE: "disabled",
}


class ServicesByHand:
    """Shares the supervisor's watches and the set of what is switched off; `note` writes rows down."""

    def __init__(
        self,
        disabled: set[str],
        watches: Mapping[str, Watch],
        note: Callable[[SupervisorTools, Sequence[Service]], Awaitable[None]],
    ) -> None:
        self._disabled = disabled
        self._watches = watches
        self._note = note
        self._under_way: dict[str, asyncio.Task[ServiceActionDone]] = {}
        self._asked: set[str] = set()
        self._unrecorded: list[NewAuditEntry] = []

    async def stop(self) -> None:
        """What is under way is broken off; a wish to have something on or off is a row by then."""
        for task in self._under_way.values():
            task.cancel()

    async def act(self, tools: SupervisorTools, action: ServiceAction, name: str, caller: Caller) -> ServiceActionDone:
        members = [one for one in tools.services if one.shown and one.shown_as == name]
        if not members:
            raise NotFound(f"there is no service {name}")
        if name in self._asked or name in self._under_way or any(self._watches[one.name].healing for one in members):
            raise Conflict(f"{name} is being started or ended at this moment: try again when that is done")
        self._asked.add(name)
        try:
            before = await self._seen(tools, members)
            hands = _allowed(action, name, members, before)
            if not await self._switched(tools, action, before, caller):
                return _done(action, before, f"Service {name} is {_DONE[action]} already")
            self._under_way[name] = task = asyncio.create_task(
                self._carry_out(tools, action, members, hands, before, caller), name=f"{action.value} {name}"
            )
        finally:
            self._asked.discard(name)
        task.add_done_callback(lambda _: self._under_way.pop(name, None))
        if not hands[0].answers_first:
            await asyncio.wait({task}, timeout=ANSWER_SECONDS)
        if task.done():
            return task.result()
        return _done(action, await self._seen(tools, members), f"Service {name}: the {action.value} is under way")

    async def write_audit(self, tools: SupervisorTools) -> None:
        """What could not be recorded while the database was away, such as its own restart."""
        while self._unrecorded:
            entry = self._unrecorded.pop(0)
            try:
                await tools.audit.record(entry)
            except StoreUnavailable as error:
                self._unrecorded.insert(0, entry)
                logger.warning("the audit trail waits for the database: %s", error)
                return

    async def _switched(self, tools: SupervisorTools, action: ServiceAction, before: Service, caller: Caller) -> bool:
        """Stores whether it is to run, where that is what was asked; False when it was so already."""
        if action not in (ServiceAction.ENABLE, ServiceAction.DISABLE):
            return True
        enabled = action is ServiceAction.ENABLE
        entry = NewAuditEntry(
            action=_AUDITED[action],
            resource_type="service",
            resource_id=before.name,
            caller=caller,
            details={"changes": {"enabled": {"old": not enabled, "new": enabled}}, "old": _state(before)},
        )
        if not await tools.rows.switch(before.name, enabled, entry):
            return False
        (self._disabled.discard if enabled else self._disabled.add)(before.name)
        return True

    async def _carry_out(
        self,
        tools: SupervisorTools,
        action: ServiceAction,
        members: Sequence[SupervisedService],
        hands: Sequence[ByHand],
        before: Service,
        caller: Caller,
    ) -> ServiceActionDone:
        watches = [self._watches[member.name] for member in members]
        fault = None
        for watch in watches:
            watch.take_in_hand()
        try:
            async with asyncio.timeout(MOST_SECONDS):
                await asyncio.gather(*(_deed(action, hand)() for hand in hands))
            if action is not ServiceAction.DISABLE:
                for watch in watches:
                    watch.restarted(tools.clock.now())
                await _come_up(members)
        except Exception as error:
            logger.warning("%s of %s", action.value, before.name, exc_info=True)
            fault = "it took too long" if isinstance(error, TimeoutError) else type(error).__name__
        finally:
            for watch in watches:
                watch.let_go()
        after = await self._seen(tools, members)
        done = _done(action, after, _words(action, after, fault), success=fault is None)
        if action in (ServiceAction.RESTART, ServiceAction.START):
            self._unrecorded.append(_entry(done, before, caller))
        await self._note(tools, [after])
        await self.write_audit(tools)
        return done

    async def _seen(self, tools: SupervisorTools, members: Sequence[SupervisedService]) -> Service:
        """The service as it is at this moment; decides nothing."""
        rows = []
        for member, (observed, health) in zip(members, await asyncio.gather(*map(observe, members)), strict=True):
            watch, enabled = self._watches[member.name], member.shown_as not in self._disabled
            if enabled and observed is not Observation.HEALTHY and (watch.in_hand or watch.comes_up(observed)):
                observed = Observation.STARTING
            rows.append(service_row(member, watch, observed, health, enabled, tools.clock))
        return merged(members[0].shown_as, rows)


def _allowed(
    action: ServiceAction, name: str, members: Sequence[SupervisedService], before: Service
) -> Sequence[ByHand]:
    """Raises ServiceRefused with the reason for a person."""
    hands = [member.by_hand for member in members if member.by_hand is not None]
    limits = hands[0].limits if hands else Limits(NOBODY_HERE, NOBODY_HERE)
    why_not = refusal(action, name, before.status, before.enabled, limits)
    if why_not is not None:
        raise ServiceRefused(name, why_not)
    return hands


def _deed(action: ServiceAction, hand: ByHand) -> Callable[[], Awaitable[None]]:
    if action is ServiceAction.DISABLE:
        assert hand.disable is not None, "what cannot be disabled says so in its limits"
        return hand.disable
    return hand.enable if action is ServiceAction.ENABLE and hand.enable is not None else hand.restart


async def _come_up(members: Sequence[SupervisedService]) -> None:
    """Returns when all are healthy, or when that takes its time."""
    clock = asyncio.get_running_loop().time
    until = clock() + COMING_UP_SECONDS
    while clock() < until:
        found = await asyncio.gather(*map(observe, members))
        if all(observed is Observation.HEALTHY for observed, _ in found):
            return
        await asyncio.sleep(LOOK_AGAIN_SECONDS)


def _words(action: ServiceAction, after: Service, fault: str | None) -> str:
    if fault is not None:
        return f"Service {after.name} could not be {_DONE[action]}: {fault}; the log says more"
    if action is ServiceAction.DISABLE:
        return f"Service {after.name} disabled; it stays down until it is enabled"
    if after.status is ServiceStatus.RUNNING:
        return f"Service {after.name} {_DONE[action]} successfully"
    return f"Service {after.name} was {_DONE[action]} and is {after.status.value}"


def _done(action: ServiceAction, service: Service, message: str, *, success: bool = True) -> ServiceActionDone:
    return ServiceActionDone(
        action=action, service=service.name, success=success, message=message, service_info=service
    )


def _entry(done: ServiceActionDone, before: Service, caller: Caller) -> NewAuditEntry:
    return NewAuditEntry(
        action=_AUDITED[done.action],
        resource_type="service",
        resource_id=done.service,
        caller=caller,
        details={"old": _state(before), "new": _state(done.service_info), "message": done.message},
        status=AuditStatus.SUCCESS if done.success else AuditStatus.FAILURE,
    )


def _state(service: Service) -> dict[str, Any]:
    return {"status": service.status.value, "enabled": service.enabled, "failure_count": service.failure_count}
