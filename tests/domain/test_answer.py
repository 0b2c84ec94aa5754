"""What is an answer and what is none: every way in which servers and models get it wrong."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.answer import (
    MOST_SENTENCE,
    MOST_SENTENCES,
    MOST_SIGNS,
    MOST_TOKENS,
    Answer,
    Fault,
    Sign,
    answer_schema,
    read_answer,
)
from domain.plain_text import plain
from domain.severity import definitions
from schemas.language import Reply
from schemas.severity import SeverityBands

CASE = "1f3c09ab"
BANDS = SeverityBands()
TIGHTEST = (SeverityBands(low_max=1, medium_max=2, high_max=3), SeverityBands(low_max=97, medium_max=98, high_max=99))


def fields(**changes: Any) -> dict[str, Any]:
    whole = {
        "case": CASE,
        "reasoning": ["A person stands at the door.", "It is night."],
        "summary": "A person at the door",
        "signs": ["loitering"],
        "risk": {"level": "medium", "score": 40},
    }
    return whole | changes


def reply(text: str | None, finish_reason: str | None = "stop") -> Reply:
    return Reply(id="q", text=text, finish_reason=finish_reason, model="m", fingerprint=None, seconds=1)


def read(text: str | None, bands: SeverityBands = BANDS) -> Answer | Fault:
    return read_answer(reply(text), CASE, bands)


def fault(text: str | None) -> str:
    found = read(text)
    assert isinstance(found, Fault), found
    return found.reason


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in fields().items() if key != name}


def test_a_whole_answer_is_taken() -> None:
    assert read(json.dumps(fields())) == Answer(
        risk_score=40,
        summary="A person at the door",
        reasoning="A person stands at the door. It is night.",
        signs=(Sign.LOITERING,),
    )


def test_the_order_of_fields_and_blanks_between_them_do_not_matter() -> None:
    turned = dict(reversed(fields().items()))
    assert isinstance(read(f"\n {json.dumps(turned, indent=4)}\t\n"), Answer)


def test_a_reasoning_of_one_text_is_taken_as_a_list_of_one() -> None:
    found = read(json.dumps(fields(reasoning="All in one.")))
    assert isinstance(found, Answer)
    assert found.reasoning == "All in one."


def test_raw_control_characters_and_halves_of_characters_become_plain_text() -> None:
    text = json.dumps(fields()).replace("at the door", "at\n\x00\tthe \\u0007\\ud800door")
    found = read(text)
    assert isinstance(found, Answer)
    assert found.summary == "A person at the door"


def test_texts_beyond_their_bounds_lose_their_end() -> None:
    found = read(json.dumps(fields(summary="s" * 1000, reasoning=["r" * 5000])))
    assert isinstance(found, Answer)
    assert len(found.summary) == MOST_SENTENCE
    assert len(found.reasoning) == MOST_SENTENCES * (MOST_SENTENCE + 1) - 1


def test_a_sign_that_comes_twice_counts_once() -> None:
    found = read(json.dumps(fields(signs=["weapon", "loitering", "weapon"])))
    assert isinstance(found, Answer)
    assert found.signs == (Sign.WEAPON, Sign.LOITERING)


@pytest.mark.parametrize("bands", [BANDS, *TIGHTEST])
def test_every_score_goes_with_the_level_of_its_band_and_no_other(bands: SeverityBands) -> None:
    for band in definitions(bands):
        for score in range(101):
            found = read(json.dumps(fields(risk={"level": band.severity, "score": score})), bands)
            assert isinstance(found, Answer) == (band.min_score <= score <= band.max_score), (band, score)


def test_a_level_against_the_score_contradicts() -> None:
    assert (
        fault(json.dumps(fields(risk={"level": "low", "score": 90})))
        == "the answer contradicts itself: a score of 90 is critical, not low"
    )


@pytest.mark.parametrize(
    ("finish_reason", "said"),
    [
        ("length", "cut off at its token limit"),
        ("abort", "ended with 'abort'"),
        ("content_filter", "ended with 'content_filter'"),
        ("tool_calls\r\n<b>" + "x" * 5000, "ended with 'tool_calls <b>xxx"),
        ("", "ended with ''"),
        (None, "did not say whether the answer is whole"),
    ],
)
def test_an_answer_that_did_not_end_by_itself_is_none_even_if_it_can_be_read(
    finish_reason: str | None, said: str
) -> None:
    found = read_answer(reply(json.dumps(fields()), finish_reason), CASE, BANDS)
    assert isinstance(found, Fault)
    assert said in found.reason
    assert len(found.reason) < 120


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "ended without an answer"),
        ("", "is empty"),
        (" \n\t" * 500, "nothing but blanks"),
        ("x" * 2_000_000, "2000000 characters"),
        (json.dumps(fields()) + " " * 30_000, "characters, of which 20000 are read"),
        ("I cannot help with that.", "does not begin as a JSON object: 'I cannot help with that.'"),
        ("Sure! " + json.dumps(fields()), "does not begin as a JSON object: 'Sure! {"),
        ("<think>hm</think>" + json.dumps(fields()), "does not begin as a JSON object"),
        ("\ufeff" + json.dumps(fields()), "does not begin as a JSON object"),
        ("```json\n" + json.dumps(fields()) + "\n```", "code fences"),
        (json.dumps(fields()) + "\nI hope this helps", "something follows the JSON: 'I hope this helps'"),
        (json.dumps(fields()) * 2, "something follows the JSON: '{"),
        (json.dumps(fields())[:-1], "is no JSON from character"),
        (json.dumps(fields()).replace('"', "'"), "is no JSON from character 2 on"),
        ("{" * 19_000, "is no JSON"),
        ("[" * 19_000, "nested too deeply"),
        ('{"a":' * 3900, "nested too deeply"),
        ("null", "the answer is nothing instead of an object"),
        ("[1]", "the answer is a list instead of an object"),
        ("42", "the answer is a number instead of an object"),
        ('"text"', "the answer is text instead of an object"),
        ("NaN", "NaN stands in the answer"),
        ('{"risk": Infinity}', "Infinity stands in the answer"),
        ('{"risk": -Infinity}', "-Infinity stands in the answer"),
        ('{"risk": ' + "9" * 10_000 + "}", "a number of 10000 digits"),
        (json.dumps(fields())[:-1] + ', "case": "1f3c09ab"}', "the field 'case' stands there twice"),
        (
            json.dumps(fields()).replace('"score": 40', '"score": 4, "score": 40'),
            "the field 'score' stands there twice",
        ),
    ],
)
def test_text_that_is_no_single_json_object_is_none(text: str | None, said: str) -> None:
    assert said in fault(text)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (fields(case="00000000"), "another question: case '00000000' instead of 1f3c09ab"),
        (fields(case=""), "another question: case ''"),
        (fields(case=7), "case is a number instead of text"),
        (fields(extra=1), "a field that was not asked for: 'extra'"),
        (fields(risk={"level": "low", "score": 1, "why": "x"}), "risk has a field that was not asked for: 'why'"),
        (fields(reasoning=7), "reasoning is a number instead of text"),
        (fields(reasoning=[]), "reasoning is empty"),
        (fields(reasoning=["a", None]), "reasoning is nothing instead of text"),
        (fields(reasoning=["a"] * 6), "reasoning has 6 sentences, 5 are the most"),
        (fields(reasoning=["\u200b", " "]), "reasoning is empty"),
        (fields(summary=" \u202e\n"), "summary is empty"),
        (fields(summary=None), "summary is nothing instead of text"),
        (fields(summary=["a"]), "summary is a list instead of text"),
        (fields(signs="weapon"), "signs is text instead of a list"),
        (fields(signs=[1]), "signs is a number instead of text"),
        (fields(signs=["hacked"]), "signs names 'hacked', which is none of the choices"),
        (fields(signs=["weapon"] * (MOST_SIGNS + 1)), "signs has 5 entries, 4 are the most"),
        (fields(risk=40), "risk is a number instead of an object"),
        (fields(risk={"level": "medium"}), "risk lacks the field score"),
        (fields(risk={"score": 40}), "risk lacks the field level"),
        (fields(risk={"level": "MEDIUM", "score": 40}), "risk.level names 'MEDIUM'"),
        (fields(risk={"level": "medium", "score": "40"}), "risk.score is text instead of a whole number"),
        (fields(risk={"level": "medium", "score": True}), "risk.score is a yes or no instead of a whole number"),
        (fields(risk={"level": "medium", "score": 40.0}), "risk.score is a fraction instead of a whole number"),
        (fields(risk={"level": "medium", "score": None}), "risk.score is nothing instead of a whole number"),
        (fields(risk={"level": "critical", "score": 101}), "risk.score is 101, and a score is from 0 to 100"),
        (fields(risk={"level": "low", "score": -1}), "risk.score is -1, and a score is from 0 to 100"),
    ]
    + [(without(name), f"the answer lacks the field {name}") for name in fields()],
)
def test_an_object_of_another_shape_is_none(answer: dict[str, Any], said: str) -> None:
    assert said in fault(json.dumps(answer))


def test_a_fraction_too_large_to_be_one_is_none() -> None:
    assert "a fraction" in fault(json.dumps(fields(risk={"level": "medium", "score": 0})).replace(" 0}", " 1e999}"))


def test_a_fault_quotes_little_and_plainly() -> None:
    reason = fault("\x1b[31m\u202eBcc: all\r\n\ud800" + "x" * 10_000)
    assert len(reason) < 120
    assert reason == plain(reason, 120)
    reason.encode()


def test_the_schema_allows_nothing_that_is_cut_off_at_the_token_limit() -> None:
    longest = fields(
        reasoning=["r" * MOST_SENTENCE] * MOST_SENTENCES,
        summary="s" * MOST_SENTENCE,
        signs=[max(Sign, key=len)] * MOST_SIGNS,
        risk={"level": "critical", "score": 100},
    )
    assert isinstance(read(json.dumps(longest)), Answer)
    assert len(json.dumps(longest)) < MOST_TOKENS


def test_the_schema_ties_the_answer_to_its_case_and_closes_every_object() -> None:
    schema = answer_schema(CASE, BANDS)
    assert schema["properties"]["case"]["enum"] == [CASE]
    assert list(schema["properties"]) == ["case", "reasoning", "summary", "signs", "risk"]
    for one in (schema, *schema["properties"]["risk"]["anyOf"]):
        assert one["additionalProperties"] is False
        assert one["required"] == list(one["properties"])


@pytest.mark.parametrize("bands", [BANDS, *TIGHTEST])
def test_the_schemas_bands_cover_every_score_once(bands: SeverityBands) -> None:
    forms = answer_schema(CASE, bands)["properties"]["risk"]["anyOf"]
    scores = [form["properties"]["score"] for form in forms]
    assert sorted(n for one in scores for n in range(one["minimum"], one["maximum"] + 1)) == list(range(101))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.sampled_from([*fields(), "level"]), _JSON)
def test_whatever_stands_in_a_field_the_reading_ends_in_an_answer_or_a_sentence(name: str, value: Any) -> None:
    answer = fields(risk={"level": value, "score": 40}) if name == "level" else fields(**{name: value})
    found = read(json.dumps(answer))
    if isinstance(found, Fault):
        assert found.reason == plain(found.reason, 200)
        assert len(found.reason) < 200
    else:
        assert name in ("reasoning", "summary", "signs")


@settings(deadline=None)
@given(st.text(st.characters(codec=None), max_size=200), st.integers(0, 200))
def test_whatever_comes_the_reading_ends(noise: str, place: int) -> None:
    whole = json.dumps(fields())
    for text in (noise, whole[:place] + noise + whole[place:], whole[:place] + noise):
        found = read(text)
        assert isinstance(found, Answer) or found.reason == plain(found.reason, 200)
