"""The analysis worker's tools."""

import random
from functools import partial

from actors.alerting import Alerting
from actors.analysis_worker import AnalysisTools
from actors.assessors import DeterministicAssessor
from actors.metrics import count_live_frames
from actors.tools import open_pool, open_redis
from actors.tools.channels import notify_config
from domain.clock import SystemClock
from notify.channels import recipients, why_not
from settings import Settings
from storage.assessments import Assessments
from storage.baselines import Baselines
from storage.batches import Batches
from storage.config import RuntimeConfigs
from storage.doorbells import Doorbells
from storage.live_bus import LiveBus


async def analysis_tools(settings: Settings, name: str) -> AnalysisTools:
    pool, redis = await open_pool(settings, name), open_redis(settings)
    channels = notify_config(settings)
    doorbells = Doorbells(redis)
    return AnalysisTools(
        batches=Batches(pool),
        baselines=Baselines(pool),
        assessments=Assessments(pool),
        configs=RuntimeConfigs(pool, settings.runtime_config()),
        assessor=DeterministicAssessor(),
        alerting=Alerting(settings.timezone, partial(recipients, channels), partial(why_not, channels)),
        live=LiveBus(redis, counted=count_live_frames),
        doorbells=doorbells,
        wait=partial(doorbells.wait, "batches"),
        clock=SystemClock(),
        random=random.random,
        timezone=settings.timezone,
    )
