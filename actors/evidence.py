"""Gathering a batch's evidence: its detections, how unusual they are, what came before, whether quiet is wanted."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from domain.baseline import unusualness
from domain.prompt_facts import MOST_RECENT
from domain.quiet_hours import quiet_period
from schemas.assessment import Evidence, Unusualness
from schemas.batch import ClaimedBatch
from schemas.detection import Detection
from schemas.reassessment import ClaimedReassessment
from schemas.runtime_config import RuntimeConfig
from storage.baselines import Baselines
from storage.batches import Batches
from storage.preferences import Preferences
from storage.recent_events import RecentEvents

RECENT_WITHIN = timedelta(hours=6)
"""Earlier events that are older say little of what happens now."""


@dataclass(frozen=True)
class Surroundings:
    """What else was seen lately, and when the household wants quiet."""

    recent: RecentEvents
    preferences: Preferences


@dataclass(frozen=True)
class EvidenceRows:
    """Where the evidence lies. All of it is rows, so that it can be gathered again."""

    batches: Batches
    baselines: Baselines
    timezone: str
    surroundings: Surroundings

    async def of(self, batch: ClaimedBatch, config: RuntimeConfig) -> Evidence:
        """The batch's rows, and how unusual they are for this camera at this hour."""
        detections = await self.batches.detections(batch.id)
        local = batch.started_at.astimezone(ZoneInfo(self.timezone))
        hour_began = local.replace(minute=0, second=0, microsecond=0)
        baseline = await self.baselines.slot(batch.camera_id, local.weekday(), local.hour, hour_began)
        unusual = unusualness(baseline, {d.object_type for d in detections}, batch.started_at, config, self.timezone)
        return await self._whole(batch, detections, unusual, self.timezone)

    async def again(self, claimed: ClaimedReassessment) -> Evidence:
        """As it was when the event was stored: by now the event itself counts in its camera's baseline."""
        return await self._whole(claimed.batch, claimed.detections, claimed.why.unusual, claimed.why.timezone)

    async def _whole(
        self,
        batch: ClaimedBatch,
        detections: tuple[Detection, ...],
        unusual: tuple[Unusualness, ...],
        timezone: str,
    ) -> Evidence:
        recent = await self.surroundings.recent.before(batch.camera_id, batch.started_at, MOST_RECENT, RECENT_WITHIN)
        quiet = await _is_quiet(self.surroundings.preferences, batch.started_at, timezone)
        return Evidence(
            batch=batch,
            detections=detections,
            unusual=unusual,
            timezone=timezone,
            recent=tuple(recent),
            quiet_hours=quiet,
            urgent=batch.urgent,
        )


async def _is_quiet(preferences: Preferences, at: datetime, timezone: str) -> bool:
    return quiet_period(await preferences.quiet_hours(), at, timezone) is not None
