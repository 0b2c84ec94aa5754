"""The prompt as the model gets it: its text, its structure, and that it comes out the same again."""

import json
import pickle
from hashlib import sha256
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.answer import MOST_SENTENCE, MOST_SENTENCES, MOST_SIGNS, Sign, answer_schema
from domain.prompt import CURRENT, Prompt, UnknownPromptVersion, render
from domain.prompt_facts import prompt_facts
from schemas.prompt_facts import PromptFacts
from schemas.runtime_config import RuntimeConfig
from schemas.severity import SeverityBands
from tests.domain.prompt_scenes import detection, earlier, evidence, largest, pacing_at_the_door, usual

CONFIG = RuntimeConfig()
GOLDEN = Path(__file__).with_name("golden")
"""For each version the facts of an event as they were kept with it, and the prompt that they must give for ever."""

RECORDED = {
    "v1/system.txt": "41c000dce011345e389a6bbe6dd7ff6b854e1036286817d4ff4b2217162625e7",
    "v1/user.txt": "68272d7f68461e53d42003cf1278617f228dc96e9f3e020c8cbef6876e462669",
}
"""Of texts that have asked about events, and so never change. To say something else, add a version."""


def facts_of_the_door() -> PromptFacts:
    return prompt_facts(pacing_at_the_door(), CONFIG)


def shown(prompt: Prompt) -> str:
    return f"{prompt.sha256}\n\n{prompt.system}\n\n=====\n\n{prompt.user}\n"


def block(user: str) -> dict[str, Any]:
    """What stands between the marks, as JSON."""
    inside = user.split("<facts>\n")[1].split("\n</facts>")[0]
    parsed = json.loads(inside)
    assert isinstance(parsed, dict)
    return parsed


@pytest.mark.parametrize("version", sorted({name.split("/")[0] for name in RECORDED}))
def test_kept_facts_give_the_recorded_prompt_in_every_version(version: str) -> None:
    facts = PromptFacts.model_validate_json((GOLDEN / f"facts_{version}.json").read_text("utf-8"))
    prompt = render(facts, version)

    assert (GOLDEN / f"prompt_{version}.txt").read_text("utf-8") == shown(prompt)


def test_the_texts_of_every_version_are_as_recorded() -> None:
    folder = files("domain") / "prompts"
    found = {
        f"{version.name}/{text.name}": sha256(text.read_bytes()).hexdigest()
        for version in folder.iterdir()
        if version.is_dir()
        for text in version.iterdir()
    }

    assert found == RECORDED


def test_the_fingerprint_is_that_of_both_texts() -> None:
    prompt = render(facts_of_the_door())

    assert prompt.sha256 == sha256(prompt.system.encode() + b"\0" + prompt.user.encode()).hexdigest()
    assert prompt.version == CURRENT


def test_an_unknown_version_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(UnknownPromptVersion, match=r"no prompt version '\.\./v9'; this build has v1") as caught:
        render(facts_of_the_door(), "../v9")

    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_the_system_text_is_the_same_for_every_case() -> None:
    others = [
        prompt_facts(largest(), RuntimeConfig(severity=SeverityBands(low_max=5, medium_max=6, high_max=7)), pictures=4),
        prompt_facts(evidence([]), CONFIG),
    ]

    assert {render(facts).system for facts in others} == {render(facts_of_the_door()).system}


def test_what_differs_between_cases_comes_last() -> None:
    user = render(facts_of_the_door()).user

    assert user.startswith('<facts>\n{\n"case": ')
    assert user.splitlines()[-1] == (
        "Case d515f45c: how risky is what this camera saw, from 0 to 100? Levels by score: low 0-29, medium 30-59, "
        "high 60-84, critical 85-100. Answer with the one JSON object."
    )


def test_the_levels_are_those_in_force() -> None:
    facts = facts_of_the_door().model_copy(update={"bands": SeverityBands(low_max=9, medium_max=49, high_max=94)})

    assert "low 0-9, medium 10-49, high 50-94, critical 95-100" in render(facts).user


def test_the_facts_are_told_in_a_fixed_order() -> None:
    said = block(render(facts_of_the_door()).user)

    assert list(said) == [
        *("case", "camera", "local_time", "part_of_day", "quiet_hours", "seconds", "detections", "pictures"),
        *("tracks", "tracks_left_out", "usual", "recent_events"),
    ]
    assert said["local_time"] == "Saturday 2026-11-21 02:13"
    assert said["quiet_hours"] is True
    assert said["tracks"][1] == {
        "class": "person",
        "seconds": [0, 42],
        "seen": 22,
        "confidence": [0.85, 0.9],
        "movement": "moving to and fro",
        "place": ["middle", "middle"],
        "box": [39, 42, 44, 64],
    }
    assert said["recent_events"][1]["classes"] == ["person", "car"]


def test_a_deviation_that_rests_on_too_little_is_not_told() -> None:
    told, untold = block(
        render(prompt_facts(evidence([], unusual=(usual(), usual("car", 0, 9, samples=3))), CONFIG)).user
    )["usual"]

    assert (told["deviation"], told["enough_samples"]) == (3.1, True)
    assert untold == {
        "class": "car",
        "expected_per_hour": None,
        "deviation": None,
        "samples": 3,
        "enough_samples": False,
    }


def test_where_no_size_of_a_picture_is_on_record_its_places_are_null() -> None:
    (track,) = block(render(prompt_facts(evidence([detection(0, 9, picture=(None, None))]), CONFIG)).user)["tracks"]

    assert (track["place"], track["box"]) == ([None, None], None)


def test_the_system_text_names_every_sign_and_field_and_bound_of_the_answer() -> None:
    system = render(facts_of_the_door()).system
    signs = system.split("SIGNS")[1].split("\n")[1]

    assert signs == ", ".join(sign.value for sign in Sign)
    fields = list(answer_schema("0" * 8, CONFIG.severity)["properties"])
    lines = [line.split(":")[0] for line in system.split("ANSWER\n")[1].splitlines()]
    assert [line for line in lines if line in fields] == fields
    assert system.count(f"at most {MOST_SENTENCE} characters") == 2
    assert (MOST_SENTENCES, MOST_SIGNS) == (5, 4)
    assert "a list of one to five sentences" in system
    assert "a list of none to four of the signs" in system


def test_the_anchors_are_spread_over_the_whole_scale() -> None:
    scale = render(facts_of_the_door()).system.split("SCALE\n")[1].split("\n\n")[0]
    anchors = [
        int(word) for part in scale.splitlines()[1:] for word in part.replace(":", " ").split() if word.isdigit()
    ]

    assert len(anchors) == len(set(anchors)) >= 20
    assert anchors == sorted(anchors)
    assert max(later - before for before, later in pairwise(anchors)) <= 8
    assert not {35, 55, 75} & set(anchors)


def test_the_system_text_is_short_and_plain() -> None:
    system = render(facts_of_the_door()).system

    assert len(system) < 4500
    assert system.isascii()
    assert not any(token in system for token in ("<|", "[INST", "<think", "<SPECIAL", "</s>"))


def test_the_users_text_has_its_bounds() -> None:
    assert len(render(facts_of_the_door()).user) < 2500
    assert len(render(prompt_facts(largest(), CONFIG)).user) < 9000


@pytest.mark.parametrize("letter", ["<", "a", "漢", "\U00012000", "\U0001f4a3"])
def test_hostile_names_everywhere_make_it_no_longer_than_twelve_thousand_bytes(letter: str) -> None:
    found = largest()
    hostile = letter * 500
    classes = {one.object_type: f"{number}{hostile}" for number, one in enumerate(found.detections)}
    worst = found.model_copy(
        update={
            "detections": tuple(
                one.model_copy(update={"object_type": classes[one.object_type]}) for one in found.detections
            ),
            "unusual": tuple(usual(f"{number}{hostile}") for number in range(20)),
            "recent": tuple(earlier(number, 9, "x", hostile, (hostile,) * 9) for number in range(20)),
            "batch": found.batch.model_copy(update={"camera_name": hostile}),
        }
    )

    assert len(render(prompt_facts(worst, CONFIG)).user.encode()) < 12_000


def test_facts_that_were_kept_as_json_render_the_same_bytes() -> None:
    for found in (pacing_at_the_door(), largest(), evidence([])):
        facts = prompt_facts(found, CONFIG, pictures=2)
        kept = PromptFacts.model_validate(json.loads(json.dumps(facts.model_dump(mode="json"), sort_keys=True)))

        assert render(kept) == render(facts)


names = st.text(st.characters(codec="utf-8"), max_size=60)
numbers = st.floats(-1e6, 1e6)
scenes = st.builds(
    lambda name, other, kind, x, second, figure: evidence(
        [detection(0, x, object_type=kind), detection(second, x / 2, object_type=kind, confidence=second / 60)],
        unusual=(usual(kind, abs(figure), figure),),
        recent=(earlier(1, abs(figure), "x", other, (kind, other)),),
        camera_name=name,
    ),
    names,
    names,
    names,
    st.floats(-100, 1300),
    st.floats(0, 60),
    numbers,
)


@settings(deadline=None)
@given(scenes)
def test_whatever_the_names_the_prompt_survives_the_store_and_keeps_its_lines(found: Any) -> None:
    facts = prompt_facts(found, CONFIG)
    prompt = render(facts)
    said = block(prompt.user)

    assert render(PromptFacts.model_validate_json(facts.model_dump_json())) == prompt
    assert said["camera"] == facts.camera
    assert [track["class"] for track in said["tracks"]] == [track.object_type for track in facts.tracks]
    assert said["recent_events"][0]["camera"] == facts.recent[0].camera
    assert len(prompt.user.splitlines()) == 22 + len(facts.tracks)
