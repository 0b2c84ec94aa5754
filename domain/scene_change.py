"""Whether a camera still shows its usual view: what differs must last, and be the same all along, to be a change.

            usual frames: learn
               ┌────┐
               ▼    │      other view, steady, 5 frames in 30 s ──▶ view_changed, and that view is the usual one
            usual ──┴──┤
               ▲       └── blind, 5 frames in 30 s ──▶ covered ─┐
               └──── view_restored ◀── usual, 5 frames in 30 s ─┘

Somebody who walks by is over before, somebody who stands close moves, and light is not compared at all.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto

from schemas.scene_change import SceneChangeType


@dataclass(frozen=True)
class ScenePolicy:
    like_from: float = 0.6
    """Two pictures that are at least so similar show the same view."""
    unlike_below: float = 0.45
    """Two that are less similar show different ones; in between nothing is decided."""
    frames: int = 5
    """So many in a row must agree on what is different,"""
    lasting: timedelta = timedelta(seconds=30)
    """and the first and the last of them must lie so far apart."""
    settled_frames: int = 10
    """A usual view that fewer pictures agreed on is replaced without a word."""
    learn_every: timedelta = timedelta(seconds=10)
    learn_within: timedelta = timedelta(minutes=10)
    """About how long the usual view takes to follow a slow change."""
    most_share: float = 0.5


class Sight(Enum):
    USUAL = auto()
    OTHER = auto()
    BLIND = auto()
    UNCLEAR = auto()


@dataclass(frozen=True)
class Look:
    """What a picture was found to be."""

    at: datetime
    """When it was taken."""
    blind: bool
    similarity: float
    """To the usual view."""
    steadiness: float = 0.0
    """To the first picture of the doubt; 0 where there is none."""


@dataclass(frozen=True)
class Doubt:
    """A row of pictures that show the same unexpected thing."""

    sight: Sight
    frames: int
    since: datetime


@dataclass(frozen=True)
class SceneState:
    frames: int = 0
    """Pictures that agreed with the usual view; 0 where there is none yet."""
    covered: bool = False
    learnt_at: datetime | None = None
    last_at: datetime | None = None
    doubt: Doubt | None = None


@dataclass(frozen=True)
class SceneDecision:
    state: SceneState
    learn: float = 0.0
    """The share with which the picture goes into the usual view; 1 makes it the usual view."""
    doubt_begins: bool = False
    """The picture is the one that the next ones must be like."""
    change: SceneChangeType | None = None


def judge(state: SceneState, look: Look, policy: ScenePolicy) -> SceneDecision:
    """One more picture of the camera. One that is not newer than the last is passed over."""
    if state.last_at is not None and look.at <= state.last_at:
        return SceneDecision(state)
    state = replace(state, last_at=look.at)
    if state.frames == 0:
        begun = replace(state, frames=1, learnt_at=look.at)
        return SceneDecision(state) if look.blind else SceneDecision(begun, learn=1.0)
    sight = _sight(look, policy)
    if sight is Sight.UNCLEAR or sight is (Sight.BLIND if state.covered else Sight.USUAL):
        return _as_expected(replace(state, doubt=None), sight, look.at, policy)
    return _unexpected(state, sight, look, policy)


def _sight(look: Look, policy: ScenePolicy) -> Sight:
    if look.blind:
        return Sight.BLIND
    if look.similarity >= policy.like_from:
        return Sight.USUAL
    return Sight.OTHER if look.similarity < policy.unlike_below else Sight.UNCLEAR


def _as_expected(state: SceneState, sight: Sight, at: datetime, policy: ScenePolicy) -> SceneDecision:
    if sight is not Sight.USUAL:
        return SceneDecision(state)
    since = at - (state.learnt_at or at)
    young = state.frames < policy.settled_frames
    if not young and since < policy.learn_every:
        return SceneDecision(state)
    share = 1 / (state.frames + 1) if young else min(policy.most_share, since / policy.learn_within)
    return SceneDecision(replace(state, frames=state.frames + 1, learnt_at=at), learn=share)


def _unexpected(state: SceneState, sight: Sight, look: Look, policy: ScenePolicy) -> SceneDecision:
    doubt = state.doubt
    goes_on = doubt is not None and doubt.sight is sight
    if doubt is None or not goes_on or (sight is Sight.OTHER and look.steadiness < policy.like_from):
        return SceneDecision(replace(state, doubt=Doubt(sight, 1, look.at)), doubt_begins=True)
    doubt = replace(doubt, frames=doubt.frames + 1)
    state = replace(state, doubt=doubt)
    if doubt.frames < policy.frames or look.at - doubt.since < policy.lasting:
        return SceneDecision(state)
    return _settled(state, doubt, look.at, policy)


def _settled(state: SceneState, doubt: Doubt, at: datetime, policy: ScenePolicy) -> SceneDecision:
    known = state.frames >= policy.settled_frames
    if doubt.sight is Sight.OTHER:
        adopted = SceneState(frames=doubt.frames, learnt_at=at, last_at=at)
        return SceneDecision(adopted, learn=1.0, change=SceneChangeType.VIEW_CHANGED if known else None)
    if doubt.sight is Sight.USUAL:
        return SceneDecision(replace(state, covered=False, doubt=None), change=SceneChangeType.VIEW_RESTORED)
    if not known:
        return SceneDecision(state)
    return SceneDecision(replace(state, covered=True, doubt=None), change=SceneChangeType.COVERED)
