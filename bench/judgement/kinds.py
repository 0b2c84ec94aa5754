"""What a kind of scene is made of: who comes which way, when, how often, and how grave it is."""

from dataclasses import dataclass

from schemas.severity import Severity

Range = tuple[float, float]
Hours = tuple[tuple[float, float, float], ...]
"""(from, to, weight) by the house's clock; `to` may lie beyond 24."""


@dataclass(frozen=True, slots=True)
class Step:
    """A spot of the picture and for how many seconds one stays there."""

    spot: str
    stay: Range = (0, 0)


@dataclass(frozen=True, slots=True)
class Actor:
    """Something that comes, moves from spot to spot, and is gone."""

    thing: str
    """As it is; what the detector calls it is another matter (detector.py)."""
    route: tuple[Step, ...]
    number: tuple[int, int] = (1, 1)
    enters: Range = (0, 0)
    """Seconds after the scene's begin."""
    leg: Range = (3, 7)
    """Seconds from one spot to the next."""
    share: float = 1.0
    """Of the scenes of this kind in which it occurs."""
    carried: bool = False
    """It goes where the first actor goes."""
    parked: bool = False
    """It stands there all the time."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of scene."""

    name: str
    says: str
    places: tuple[str, ...]
    hours: Hours
    actors: tuple[Actor, ...]
    count: int
    """Scenes in each half."""
    floor: Severity | None = None
    """The level that an incident must reach at least; None for routine."""
    habit: Range = (0, 0)
    """Appearances an hour that the household's habits add to what its camera sees at that hour anyway."""
    before: tuple[int, int] = (0, 0)
    """Batches of the same happening at the same camera before this one."""
    elsewhere: tuple[int, int] = (0, 0)
    """Batches of the same happening at the other cameras in the minutes before."""

    @property
    def incident(self) -> bool:
        return self.floor is not None


DAY: Hours = ((8, 18, 1),)
EVENING: Hours = ((17.5, 22, 1),)
NIGHT: Hours = ((22.5, 28.5, 1),)
ANY: Hours = ((0, 24, 1),)

FRONT = ("Front Door",)
DRIVE = ("Driveway",)
BACK = ("Backyard", "Side Gate")
STREET = ("Front Door", "Driveway")


def walk(*spots: str, stay: Range = (0, 2)) -> tuple[Step, ...]:
    return tuple(Step(spot, stay) for spot in spots)


def adult(*route: Step, number: tuple[int, int] = (1, 1), enters: Range = (0, 0), share: float = 1.0) -> Actor:
    return Actor("adult", route, number, enters, share=share)


IN = (Step("pavement"), Step("drive"), Step("door", (3, 12)))
IN_AND_OUT = (Step("pavement"), Step("drive"), Step("door", (4, 14)), Step("drive"), Step("pavement"))
HOUSE_CAR = Actor("car", (Step("car"),), share=0.5, parked=True)
CAR_COMES = Actor("car", (Step("street"), Step("car", (15, 40))), share=0.55)
