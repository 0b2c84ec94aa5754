"""What cannot be talked down: weapons, forced entry, and the model's own word for either."""

import pytest

from domain.answer import Answer, Sign
from domain.floors import FORCED_ENTRY, floor
from domain.labels import normalised
from domain.model_assessment import final_assessment
from domain.risk import assess
from domain.risk_weights import WEAPONS
from schemas.assessment import Assessment, AssessmentStanding, Evidence, ModelTrace
from schemas.prompt_facts import PartOfDay, PromptFacts
from schemas.runtime_config import RuntimeConfig
from schemas.severity import SeverityBands
from tests.domain.batch_scenes import scene, seen

CONFIG = RuntimeConfig()
FACTS = PromptFacts(
    case="1f3c09ab",
    camera="Front",
    local_time="Saturday 2026-11-21 02:13",
    timezone="UTC",
    part_of_day=PartOfDay.NIGHT,
    quiet_hours=False,
    seconds=0,
    detection_count=0,
    tracks=(),
    tracks_left_out=0,
    unusual=(),
    recent=(),
    bands=SeverityBands(),
)


def evidence(*things: list[tuple[str, float, float]]) -> Evidence:
    return scene([one for thing in things for one in thing])


def trace(model: str | None = "nano") -> ModelTrace:
    return ModelTrace(
        prompt_version="v1", prompt_sha256="0" * 64, facts=FACTS, model=model, fingerprint=None, attempts=()
    )


def judged(score: int, *signs: Sign, of: Evidence, config: RuntimeConfig = CONFIG) -> Assessment:
    answer = Answer(risk_score=score, summary="All quiet", reasoning="Nothing to see.", signs=signs)
    return final_assessment(answer, of, config, trace())


def test_an_ordinary_batch_has_no_floor() -> None:
    assert floor(evidence(seen("person"), seen("dog")), (Sign.LOITERING, Sign.DAMAGE), CONFIG) is None


@pytest.mark.parametrize("object_type", sorted(WEAPONS | FORCED_ENTRY))
def test_weapons_and_signs_of_forced_entry_that_were_detected_are_high_at_least(object_type: str) -> None:
    least = floor(evidence(seen("person"), seen(object_type, 0.3)), (), CONFIG)
    assert least is not None
    assert least.score == 60


@pytest.mark.parametrize("object_type", ["Broken Window", "broken-window", "BROKEN_WINDOW", "Break-In", "Pry  Bar"])
def test_classes_are_compared_however_a_detector_spells_them(object_type: str) -> None:
    assert floor(evidence(seen(object_type)), (), CONFIG) is not None


def test_the_classes_of_forced_entry_are_written_as_they_are_compared() -> None:
    assert all(normalised(name) == name for name in FORCED_ENTRY)


@pytest.mark.parametrize("sign", [Sign.WEAPON, Sign.FORCED_ENTRY])
def test_a_model_cannot_name_the_sign_and_score_below_high(sign: Sign) -> None:
    assert judged(5, sign, of=evidence(seen("person"))).risk_score == 60


def test_a_model_cannot_talk_a_detected_weapon_down() -> None:
    found = judged(3, of=evidence(seen("person"), seen("knife")))
    assert found.risk_score == 60
    assert [(one.name, one.points) for one in found.factors] == [("model", 3), ("floor", 57)]
    assert found.factors[1].because == "a knife was seen: high at least"
    assert found.reasoning == "Nothing to see. Raised from 3 to 60: a knife was seen: high at least."


def test_every_ground_is_named_once() -> None:
    least = floor(evidence(seen("knife"), seen("crowbar")), (Sign.WEAPON, Sign.WEAPON), CONFIG)
    assert least is not None
    assert least.because == "a crowbar was seen and a knife was seen and the model named a weapon: high at least"


def test_a_score_above_the_floor_stays_as_the_model_gave_it() -> None:
    found = judged(97, Sign.WEAPON, of=evidence(seen("knife")))
    assert (found.risk_score, found.reasoning) == (97, "Nothing to see.")
    assert [one.name for one in found.factors] == ["model"]


@pytest.mark.parametrize(("high_max", "medium_max"), [(99, 98), (3, 2), (84, 59)])
def test_the_floor_is_where_high_begins_by_the_configured_bands(high_max: int, medium_max: int) -> None:
    bands = SeverityBands(low_max=1, medium_max=medium_max, high_max=high_max)
    found = judged(0, of=evidence(seen("gun")), config=RuntimeConfig(severity=bands))
    assert found.risk_score == medium_max + 1


def test_a_models_assessment_is_final_and_carries_its_name_and_trace() -> None:
    found = judged(12, of=evidence(seen("cat")))
    assert (found.standing, found.assessed_by, found.summary) == (AssessmentStanding.FINAL, "nano", "All quiet")
    assert found.trace == trace()
    assert found.because is None


def test_a_models_name_is_one_plain_line() -> None:
    answer = Answer(risk_score=1, summary="s", reasoning="r", signs=())
    named = [
        final_assessment(answer, evidence(), CONFIG, trace(name)).assessed_by for name in ("a\r\nb" * 99, "", None)
    ]
    assert len(named[0]) <= 200
    assert named[0].startswith("a ba b")
    assert named[1:] == ["a model without a name"] * 2


def test_the_floors_hold_for_the_deterministic_assessor_too() -> None:
    found = assess(evidence(seen("crowbar", 0.2)), CONFIG)
    assert found.risk_score == 60
    assert found.factors[-1].name == "floor"
