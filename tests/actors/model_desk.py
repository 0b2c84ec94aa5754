"""An analysis worker with a language model over real rows; it works only between `start` and `stop`."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import redis.asyncio

from actors.alerting import Alerting
from actors.analysis_tools import AnalysisTools, LanguageModelTools
from actors.analysis_worker import AnalysisWorker
from actors.event_commit import EventCommit
from actors.evidence import EvidenceRows, Surroundings
from actors.key_pictures import KeyPictures
from actors.model_assessor import BREAKER, AskingPlan, ModelAssessor
from domain.clock import SystemClock
from schemas.alert_rule import Channel
from schemas.frame import LiveChannel
from schemas.runtime_config import RuntimeConfig
from storage.assessments import Assessments
from storage.baselines import Baselines
from storage.batches import Batches
from storage.config import RuntimeConfigs
from storage.doorbells import Doorbells
from storage.live_bus import LiveBus
from storage.postgres import Pool
from storage.preferences import Preferences
from storage.reassessments import Reassessments
from storage.recent_events import RecentEvents
from tests.actors.scripted_model import CountingBreakers, ScriptedModel
from tests.storage.rows import Rows

ZONE = "Europe/Berlin"


def recipients(channel: Channel) -> Sequence[str]:
    return ("me@example.com",) if channel is Channel.EMAIL else ()


def why_not(channel: Channel) -> str | None:
    return f"{channel} is not configured"


class ModelDesk:
    """Batches are closed now, by the wall's clock, unless a test says otherwise."""

    def __init__(
        self,
        pool: Pool,
        database: Pool,
        client: redis.asyncio.Redis,
        slots: int = 2,
        patience: float = 600.0,
        within: float = 45.0,
        pictures: KeyPictures | None = None,
        model: ScriptedModel | None = None,
        at_once: int = 64,
    ) -> None:
        self.database, self.rows = database, Rows(database)
        self.clock = SystemClock()
        self.model = model or ScriptedModel()
        self.breakers = CountingBreakers(self.clock, (BREAKER,))
        self.live = LiveBus(client)
        plan = AskingPlan(within, patience, at_once)
        assessor = ModelAssessor(self.model, self.breakers, self.clock, plan, pictures)
        self.language = LanguageModelTools(
            assessor=assessor,
            model=self.model,
            breakers=self.breakers,
            reassessments=Reassessments(pool),
            asked_by="prompt v1, model one",
            lease_seconds=within + 60,
            look_seconds=0.05,
            away_pause_seconds=0.3,
            idle_seconds=0.2,
        )
        self.tools = AnalysisTools(
            batches=Batches(pool),
            evidence=EvidenceRows(
                Batches(pool), Baselines(pool), ZONE, Surroundings(RecentEvents(pool), Preferences(pool))
            ),
            events=EventCommit(
                assessments=Assessments(pool),
                alerting=Alerting(ZONE, recipients, why_not),
                live=self.live,
                doorbells=Doorbells(client),
                clock=self.clock,
                timezone=ZONE,
            ),
            configs=RuntimeConfigs(pool, RuntimeConfig()),
            assessor=assessor,
            wait=self.wait,
            clock=self.clock,
            random=lambda: 0.5,
            language=self.language,
        )
        self.slots = slots
        self.worker = self.another_life()

    def another_life(self) -> AnalysisWorker:
        return AnalysisWorker("analysis_worker", self.connect, self.slots)

    async def connect(self) -> AnalysisTools:
        return self.tools

    async def wait(self, _seconds: float) -> None:
        """Returns soon, so that a test need not ring."""
        await asyncio.sleep(0.01)

    async def camera(self, name: str = "The front door") -> None:
        await self.rows.camera(name=name, created_at=self.clock.now() - timedelta(days=60))

    async def closed(self, *types: str, at: datetime | None = None, **values: Any) -> str:
        """A closed batch of these detections, a second apart."""
        now = at or self.clock.now()
        given: dict[str, Any] = {"closed_at": now, "started_at": now, "ended_at": now, "detection_count": len(types)}
        given |= values
        batch = await self.rows.batch(**given)
        for second, object_type in enumerate(types):
            media = await self.rows.media(path=f"{batch}{second}".encode(), captured_at=now)
            seen = given["started_at"] + timedelta(seconds=second)
            await self.rows.detection(batch, media, object_type=object_type, detected_at=seen)
        await self.database.execute("UPDATE batches SET state = 'closed' WHERE id = $1", batch)
        return str(batch)

    async def events(self) -> list[dict[str, Any]]:
        return [dict(row) for row in await self.database.fetch("SELECT * FROM events ORDER BY id")]

    async def has(self, standing: str, count: int) -> bool:
        return await self.count("SELECT count(*) FROM events WHERE assessment = $1", standing) == count

    async def count(self, query: str, *arguments: Any) -> int:
        return int(await self.database.fetchval(query, *arguments))

    async def waiting(self) -> list[tuple[Any, ...]]:
        rows = await self.database.fetch("SELECT state, attempts, reason FROM reassessments ORDER BY id")
        return [tuple(row) for row in rows]

    async def told(self, kind: str) -> list[int]:
        """The events of which frames of this type were told, in order."""
        frames, _ = await self.live.replay(LiveChannel.EVENTS, 0)
        return [frame.data["id"] for frame in frames if frame.type == kind]
