"""The taxonomy: every kind of scene, what is in it, when it happens, and the level that an incident must reach.

One source: the scenes are made from it (scenes.py) and docs/judgement.md lists it. A floor follows the harm and not
what detections can show: `high` where somebody should look now, `medium` where somebody should look today.
"""

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


def _walk(*spots: str, stay: Range = (0, 2)) -> tuple[Step, ...]:
    return tuple(Step(spot, stay) for spot in spots)


def _adult(*route: Step, number: tuple[int, int] = (1, 1), enters: Range = (0, 0), share: float = 1.0) -> Actor:
    return Actor("adult", route, number, enters, share=share)


_IN = (Step("pavement"), Step("drive"), Step("door", (3, 12)))
_IN_AND_OUT = (Step("pavement"), Step("drive"), Step("door", (4, 14)), Step("drive"), Step("pavement"))
_HOUSE_CAR = Actor("car", (Step("car"),), share=0.5, parked=True)
_CAR_COMES = Actor("car", (Step("street"), Step("car", (15, 40))), share=0.55)

ROUTINE = (
    Kind(
        "delivery",
        "a courier brings a package to the door by day and goes",
        FRONT,
        ((8, 19, 1),),
        (
            _adult(*_IN_AND_OUT),
            Actor("package", (Step("door", (20, 60)),), enters=(9, 16)),
            Actor("van", (Step("street", (25, 60)),), share=0.4),
        ),
        28,
        habit=(0.0, 0.5),
    ),
    Kind(
        "delivery in the evening",
        "the same after dark",
        FRONT,
        ((18, 21.5, 1),),
        (
            _adult(*_IN_AND_OUT),
            Actor("package", (Step("door", (20, 60)),), enters=(9, 16)),
            Actor("van", (Step("street", (25, 60)),), share=0.4),
        ),
        14,
        habit=(0.0, 0.3),
    ),
    Kind(
        "delivery van",
        "a van stops before the house, somebody gets out and back in",
        STREET,
        ((7.5, 19, 1),),
        (
            Actor("van", (Step("street"), Step("pavement", (20, 60)), Step("street"))),
            _adult(*_walk("pavement", "drive", "pavement"), enters=(4, 12), share=0.8),
        ),
        20,
        habit=(0.0, 0.5),
    ),
    Kind(
        "postman",
        "the post is put in, on foot or by bicycle",
        FRONT,
        ((9, 15, 1),),
        (
            _adult(Step("pavement"), Step("drive"), Step("door", (2, 7)), Step("pavement")),
            Actor("bicycle", (Step("pavement", (10, 30)),), share=0.35),
        ),
        24,
        habit=(0.4, 1.0),
    ),
    Kind(
        "resident coming home by day",
        "one or two of the house come home",
        STREET,
        ((9, 17.5, 1),),
        (_CAR_COMES, _adult(*_IN, number=(1, 2), enters=(0, 12))),
        28,
        habit=(0.2, 1.0),
        elsewhere=(0, 1),
    ),
    Kind(
        "resident coming home in the evening",
        "the same from 17:30 to 22:30",
        STREET,
        ((17.5, 22.5, 1),),
        (_CAR_COMES, _adult(*_IN, number=(1, 2), enters=(0, 12))),
        28,
        habit=(0.3, 1.2),
        elsewhere=(0, 1),
    ),
    Kind(
        "resident coming home at night",
        "one or two of the house come home late",
        STREET,
        ((22.5, 26.5, 1),),
        (_CAR_COMES, _adult(*_IN, number=(1, 2), enters=(0, 12))),
        18,
        habit=(0.05, 0.6),
        elsewhere=(0, 1),
    ),
    Kind(
        "resident leaving early",
        "somebody leaves the house before or at dawn, some with the car",
        STREET,
        ((5, 8.5, 1),),
        (_adult(Step("door", (2, 6)), Step("drive", (0, 15)), Step("pavement")), _HOUSE_CAR),
        24,
        habit=(0.4, 1.2),
    ),
    Kind(
        "resident takes the rubbish out",
        "out of the door, to the pavement and back, late in the evening too",
        STREET,
        ((18, 23.5, 1),),
        (_adult(Step("door"), Step("drive"), Step("pavement", (3, 12)), Step("drive"), Step("door")), _HOUSE_CAR),
        16,
        habit=(0.1, 0.5),
    ),
    Kind(
        "resident takes a package in",
        "somebody of the house picks up what lies at the door",
        FRONT,
        ((9, 21, 1),),
        (
            _adult(Step("door", (2, 8)), enters=(6, 12)),
            Actor("package", (Step("door", (7, 14)),)),
        ),
        16,
        habit=(0.1, 0.6),
    ),
    Kind(
        "gardener",
        "hours of work around the house",
        ("Backyard", "Side Gate", "Front Door"),
        DAY,
        (_adult(*(Step("garden", (8, 30)) for _ in range(4))),),
        24,
        habit=(0.0, 0.4),
        before=(1, 6),
        elsewhere=(0, 3),
    ),
    Kind(
        "work with a tool",
        "somebody of the house carries shears, a saw or a spade about, which now and then is taken for a knife",
        ("Backyard", "Driveway"),
        DAY,
        (_adult(*(Step("garden", (8, 30)) for _ in range(3))), Actor("tool", (), carried=True)),
        10,
        habit=(0.0, 0.4),
        before=(0, 4),
    ),
    Kind(
        "barbecue or low sun",
        "a glow or steam in the garden that now and then is taken for fire or smoke, often with people about",
        ("Backyard",),
        ((15, 22, 1),),
        (
            _adult(Step("garden", (20, 60)), Step("garden", (5, 20)), number=(1, 4), share=0.7),
            Actor("glow", (Step("garden", (40, 85)),)),
        ),
        10,
        habit=(0.0, 0.3),
        before=(0, 4),
    ),
    Kind(
        "craftsmen",
        "one or two with a van come and go all day",
        ("Driveway", "Front Door", "Side Gate"),
        ((7.5, 17, 1),),
        (
            Actor("van", (Step("car"),), parked=True, share=0.8),
            _adult(*_walk("car", "drive", "door", "drive", stay=(2, 12)), number=(1, 2)),
        ),
        18,
        before=(0, 5),
        elsewhere=(0, 2),
    ),
    Kind(
        "children playing",
        "two to four play in the garden or the drive, with a ball or a bicycle",
        ("Backyard", "Driveway"),
        ((10, 19.5, 1),),
        (
            Actor("child", tuple(Step("garden", (5, 15)) for _ in range(5)), (2, 4)),
            Actor("bicycle", tuple(Step("garden", (5, 15)) for _ in range(4)), share=0.3),
            Actor("adult", (Step("garden", (20, 60)),), share=0.4),
        ),
        22,
        habit=(0.1, 0.8),
        before=(0, 5),
    ),
    Kind(
        "swimming",
        "grown-ups of the house, one to three, in and at the pool",
        ("Pool",),
        ((10, 20.5, 1),),
        (
            _adult(Step("garden"), Step("pool", (20, 60)), Step("garden"), number=(1, 3)),
            Actor("child", (Step("pool", (20, 60)),), (1, 2), share=0.4),
        ),
        16,
        habit=(0.1, 0.6),
        before=(0, 4),
    ),
    Kind(
        "guests arriving",
        "two to four come to the door",
        STREET,
        ((16, 21.5, 1),),
        (_CAR_COMES, _adult(*_IN, number=(2, 4), enters=(0, 10))),
        18,
        habit=(0.0, 0.2),
        elsewhere=(0, 1),
    ),
    Kind(
        "guests leaving late",
        "two to four say goodbye at the door and walk off",
        STREET,
        ((21.5, 25, 1),),
        (_adult(Step("door", (5, 30)), Step("drive"), Step("pavement"), number=(2, 4)), _HOUSE_CAR),
        10,
        habit=(0.0, 0.1),
        before=(0, 1),
    ),
    Kind(
        "garden party",
        "three to six people in the garden for hours",
        ("Backyard",),
        ((15, 23.5, 1),),
        (_adult(*(Step("garden", (15, 40)) for _ in range(3)), number=(3, 6)),),
        12,
        habit=(0.0, 0.2),
        before=(1, 8),
    ),
    Kind(
        "dog walk",
        "somebody goes out or comes back with a dog, late in the evening too",
        STREET,
        ((6.5, 9, 1), (12, 18, 1), (20, 23.5, 1)),
        (
            _adult(*_walk("pavement", "drive", "door")),
            Actor("dog", _walk("pavement", "drive", "door")),
        ),
        24,
        habit=(0.2, 1.0),
        before=(0, 1),
    ),
    Kind(
        "passer-by",
        "one or two walk past on the pavement, some with a dog, a child or a bicycle",
        STREET,
        ((7, 22, 1),),
        (
            _adult(*_walk("pavement", "pavement"), number=(1, 2)),
            Actor("dog", _walk("pavement", "pavement"), share=0.25),
            Actor("bicycle", _walk("street", "pavement"), share=0.15),
        ),
        28,
    ),
    Kind(
        "passer-by at night",
        "one or two walk past while the house sleeps",
        STREET,
        NIGHT,
        (_adult(*_walk("pavement", "pavement"), number=(1, 2)),),
        14,
    ),
    Kind(
        "newspaper carrier",
        "a short way to the door before dawn",
        FRONT,
        ((4, 6.5, 1),),
        (_adult(Step("pavement"), Step("door", (1, 3)), Step("pavement")),),
        12,
        habit=(0.5, 1.0),
    ),
    Kind(
        "rubbish collection",
        "a truck and its people, once a week at the same hour",
        STREET,
        ((5.5, 10, 1),),
        (
            Actor("truck", (Step("street", (5, 15)), Step("street", (5, 20)))),
            _adult(*_walk("street", "pavement", "street", stay=(1, 5)), number=(1, 2), enters=(2, 6), share=0.85),
        ),
        16,
        habit=(0.7, 1.0),
    ),
    Kind(
        "vehicle turning in the drive",
        "a car comes in, turns and goes",
        DRIVE,
        ((7, 24, 1),),
        (Actor("car", (Step("street"), Step("drive", (2, 12)), Step("street"))),),
        22,
    ),
    Kind(
        "parked car of the house",
        "light or rain sets the camera off; only the car stands there",
        DRIVE,
        ANY,
        (Actor("car", (Step("car"),), (1, 2), parked=True),),
        22,
        habit=(0.2, 1.0),
    ),
    Kind("neighbour's cat", "a cat, at any hour", (*BACK, *FRONT), ANY, (Actor("cat", _walk("garden", "garden")),), 20),
    Kind(
        "fox at night",
        "a fox, which the detector has no word for",
        (*BACK, *DRIVE),
        NIGHT,
        (Actor("fox", _walk("garden", "garden", "garden")),),
        18,
    ),
    Kind(
        "bird",
        "birds before the camera",
        (*BACK, *FRONT),
        ((5, 20, 1),),
        (Actor("bird", _walk("garden", "door", stay=(0, 9)), (1, 3)),),
        16,
    ),
    Kind(
        "nobody",
        "a coat, a bush or a statue that the detector takes for somebody, day and night",
        (*BACK, *STREET),
        ANY,
        (Actor("coat", (Step("garden"),), parked=True),),
        14,
    ),
)

INCIDENTS = (
    Kind(
        "loitering at night",
        "somebody stands about before the house, goes and comes back",
        STREET,
        NIGHT,
        (_adult(Step("pavement", (10, 30)), Step("drive", (10, 40)), Step("pavement", (5, 30))), _HOUSE_CAR),
        24,
        Severity.HIGH,
        before=(0, 3),
    ),
    Kind(
        "loitering in the evening",
        "the same before bedtime",
        STREET,
        EVENING,
        (_adult(Step("pavement", (10, 30)), Step("drive", (10, 40)), Step("pavement", (5, 30))), _HOUSE_CAR),
        18,
        Severity.MEDIUM,
        before=(0, 3),
    ),
    Kind(
        "handle testing",
        "one or two go from car to car and try the doors",
        DRIVE,
        ((23, 29, 1),),
        (
            Actor("car", (Step("car"),), (1, 2), parked=True),
            _adult(Step("pavement"), Step("car", (4, 12)), Step("car", (2, 10)), Step("pavement"), number=(1, 2)),
        ),
        24,
        Severity.HIGH,
        elsewhere=(0, 1),
    ),
    Kind(
        "car break-in",
        "somebody works at a parked car, most often at night",
        DRIVE,
        ((21.5, 29, 4), (8, 21.5, 1)),
        (
            Actor("car", (Step("car"),), (1, 2), parked=True),
            _adult(Step("pavement"), Step("car", (30, 70)), Step("pavement"), number=(1, 2)),
        ),
        20,
        Severity.HIGH,
    ),
    Kind(
        "prowler around the house",
        "somebody goes round the house and looks in",
        ("Backyard", "Side Gate", "Front Door"),
        ((22, 28.5, 1),),
        (_adult(Step("fence"), Step("garden", (2, 15)), Step("window", (4, 20)), Step("garden", (0, 8))),),
        26,
        Severity.HIGH,
        before=(0, 1),
        elsewhere=(0, 3),
    ),
    Kind(
        "break-in at a door",
        "one or two work at a door; two of five by day, while nobody is at home",
        ("Backyard", "Side Gate", "Front Door"),
        ((22, 28.5, 3), (9, 17, 2)),
        (_adult(Step("fence"), Step("garden"), Step("door", (35, 80)), number=(1, 2)),),
        26,
        Severity.HIGH,
        elsewhere=(0, 2),
    ),
    Kind(
        "several people at night",
        "two to five come onto the ground while the house sleeps",
        ("Backyard", "Side Gate", "Front Door", "Driveway"),
        ((23, 28.5, 1),),
        (_adult(Step("fence"), Step("garden", (3, 20)), Step("garden", (3, 20)), number=(2, 5)), _HOUSE_CAR),
        24,
        Severity.HIGH,
        elsewhere=(0, 2),
    ),
    Kind(
        "package theft",
        "somebody takes what lies at the door and goes",
        FRONT,
        ((9, 20, 1),),
        (
            _adult(Step("pavement"), Step("drive"), Step("door", (1, 4)), Step("drive"), Step("pavement")),
            Actor("package", (Step("door", (8, 16)),)),
            Actor("car", (Step("street", (15, 30)),), share=0.4),
        ),
        24,
        Severity.MEDIUM,
    ),
    Kind(
        "stranger in the garden by day",
        "somebody climbs in and crosses the garden while nobody is there",
        BACK,
        ((9, 18, 1),),
        (_adult(Step("fence", (1, 5)), Step("garden", (2, 10)), Step("window", (3, 15)), Step("fence")),),
        18,
        Severity.MEDIUM,
        elsewhere=(0, 1),
    ),
    Kind(
        "child alone at the pool",
        "a small child at the water, nobody else",
        ("Pool",),
        ((9, 20, 1),),
        (Actor("child", (Step("garden", (1, 6)), Step("pool", (10, 60)))),),
        16,
        Severity.HIGH,
    ),
    Kind(
        "weapon shown",
        "somebody carries a knife or a gun openly, one in three with others",
        ("Front Door", "Driveway", "Backyard"),
        ((7, 31, 1),),
        (
            _adult(Step("pavement"), Step("drive", (3, 15)), Step("door", (5, 30))),
            Actor("weapon", (), carried=True),
            _adult(Step("pavement"), Step("drive", (5, 20)), number=(1, 3), share=0.35),
        ),
        24,
        Severity.HIGH,
    ),
    Kind(
        "vehicle waiting at night",
        "a car with people stops before the house, one or two get out and back in",
        STREET,
        ((22.5, 28.5, 1),),
        (
            Actor("car", (Step("street"), Step("pavement", (40, 85)))),
            _adult(Step("pavement", (10, 40)), number=(1, 2), enters=(5, 20), share=0.8),
        ),
        20,
        Severity.MEDIUM,
        before=(0, 2),
    ),
    Kind(
        "bicycle theft",
        "somebody takes a bicycle from the drive or the yard",
        ("Driveway", "Side Gate"),
        ((12, 18, 1), (18, 28, 2)),
        (
            Actor("bicycle", (Step("car", (15, 35)),)),
            _adult(Step("pavement"), Step("car", (8, 25)), Step("pavement")),
        ),
        18,
        Severity.MEDIUM,
    ),
    Kind(
        "fire or smoke",
        "something burns in the garden or at the house",
        ("Backyard", "Driveway", "Side Gate"),
        ANY,
        (
            Actor("smoke", (Step("garden", (60, 90)),)),
            Actor("fire", (Step("garden", (40, 80)),), enters=(0, 30), share=0.8),
        ),
        20,
        Severity.HIGH,
    ),
    Kind(
        "large dangerous animal",
        "a bear on the ground",
        (*BACK, *DRIVE),
        ((4, 8, 1), (18, 28, 2)),
        (Actor("bear", _walk("fence", "garden", "garden", stay=(2, 15)), (1, 2)),),
        18,
        Severity.HIGH,
    ),
    Kind(
        "pack of stray dogs",
        "three to five dogs without anybody",
        (*BACK, *STREET),
        ANY,
        (Actor("dog", _walk("fence", "garden", "garden", stay=(2, 12)), (3, 5)),),
        14,
        Severity.MEDIUM,
    ),
)

KINDS = (*ROUTINE, *INCIDENTS)
