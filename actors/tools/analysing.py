"""The analysis worker's tools."""

import logging
import random
from functools import partial
from hashlib import sha256

from actors.alerting import Alerting
from actors.analysis_tools import AnalysisTools, LanguageModelTools
from actors.assessors import DeterministicAssessor
from actors.circuit_breakers import UnstoppedByBreakers
from actors.event_commit import EventCommit
from actors.evidence import EvidenceRows, Surroundings
from actors.key_pictures import KeyPictures
from actors.metrics import count_live_frames
from actors.model_assessor import GRACE_SECONDS, AskingPlan, ModelAssessor
from actors.ref import LanguageModelDeployment, Ref
from actors.tools import open_pool, open_redis
from actors.tools.channels import notify_config
from domain.clock import SystemClock
from domain.prompt import CURRENT
from notify.channels import recipients, why_not
from settings import Settings
from storage.assessments import Assessments
from storage.baselines import Baselines
from storage.batches import Batches
from storage.config import RuntimeConfigs
from storage.detections import Detections
from storage.doorbells import Doorbells
from storage.live_bus import LiveBus
from storage.postgres import Pool
from storage.preferences import Preferences
from storage.reassessments import Reassessments
from storage.recent_events import RecentEvents

logger = logging.getLogger(__name__)

LEASE_TO_SPARE_SECONDS = 60.0
"""On top of the wait for a turn and the model's time: gathering the evidence, key pictures and the commit."""
AHEAD_SHARE = 8
"""For each so many that the model takes at once one more is asked ahead, and one more is prepared or stored."""


async def analysis_tools(settings: Settings, app_name: str, name: str) -> AnalysisTools:
    pool, redis = await open_pool(settings, name), open_redis(settings)
    channels = notify_config(settings)
    doorbells, clock = Doorbells(redis), SystemClock()
    language = language_tools(settings, app_name, pool) if settings.has_language_model else None
    if language is None and (waiting := await Reassessments(pool).waiting()):
        logger.warning(
            "%d provisional events wait for a language model, and there is none: set NEMOTRON_MODEL or NEMOTRON_URL",
            waiting,
        )
    surroundings = Surroundings(RecentEvents(pool), Preferences(pool))
    return AnalysisTools(
        batches=Batches(pool),
        evidence=EvidenceRows(Batches(pool), Baselines(pool), settings.timezone, surroundings),
        events=EventCommit(
            assessments=Assessments(pool),
            alerting=Alerting(settings.timezone, partial(recipients, channels), partial(why_not, channels)),
            live=LiveBus(redis, counted=count_live_frames),
            doorbells=doorbells,
            clock=clock,
            timezone=settings.timezone,
        ),
        configs=RuntimeConfigs(pool, settings.runtime_config()),
        assessor=language.assessor if language is not None else DeterministicAssessor(),
        wait=partial(doorbells.wait, "batches"),
        clock=clock,
        random=random.random,
        language=language,
    )


def language_tools(settings: Settings, app_name: str, pool: Pool) -> LanguageModelTools:
    model = LanguageModelDeployment(app_name)
    breakers = UnstoppedByBreakers(Ref("circuit_breakers"))
    pictures = KeyPictures(Detections(pool)) if settings.nemotron_vision else None
    within, patience = settings.nemotron_timeout_seconds, settings.nemotron_patience_seconds
    plan = AskingPlan(within, patience, asked_at_once(settings), asked_ahead(settings))
    return LanguageModelTools(
        assessor=ModelAssessor(model, breakers, SystemClock(), plan, pictures),
        model=model,
        breakers=breakers,
        reassessments=Reassessments(pool),
        asked_by=asked_by(settings),
        lease_seconds=max(within, patience) + within + GRACE_SECONDS + LEASE_TO_SPARE_SECONDS,
    )


def asked_by(settings: Settings) -> str:
    """Changes with all that decides whether an event can be assessed; holds no part of an address."""
    asked = (
        settings.nemotron_model,
        settings.nemotron_url,
        settings.nemotron_url_model,
        settings.nemotron_max_model_len,
        settings.nemotron_thinking,
        settings.nemotron_vision,
    )
    return f"prompt {CURRENT}, model {sha256(repr(asked).encode()).hexdigest()[:16]}"


def asked_at_once(settings: Settings) -> int:
    """Questions that the language model takes at once; 0 where there is none."""
    return settings.nemotron_replicas * settings.nemotron_max_in_flight if settings.has_language_model else 0


def asked_ahead(settings: Settings) -> int:
    return -(-asked_at_once(settings) // AHEAD_SHARE)


def slots(settings: Settings) -> int:
    """Batches and provisional events that are in work at once; 0 where there is no language model."""
    return asked_at_once(settings) + 2 * asked_ahead(settings)
