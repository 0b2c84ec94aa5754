"""What a language model must answer, and whether what came back is such an answer.

    {"case": "1f3c09ab", "reasoning": ["…", "…"], "summary": "…", "signs": ["loitering"],
     "risk": {"level": "low", "score": 12}}

`case` ties an answer to its question. Level and score stand together, one form for each band, so that a grammar made
from the schema cannot let them disagree. Servers that ignore the schema exist: here everything is looked at again.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NoReturn, TypeVar

from domain.plain_text import plain
from domain.severity import MAX_SCORE, definitions, level
from schemas.language import Reply
from schemas.severity import Severity, SeverityBands


class Sign(StrEnum):
    """What a model may say it recognises. The first two have floors (domain/floors.py)."""

    WEAPON = "weapon"
    FORCED_ENTRY = "forced_entry"
    TRYING_HANDLES = "trying_handles"
    TAKING_PROPERTY = "taking_property"
    DAMAGE = "damage"
    CONCEALMENT = "concealment"
    LOITERING = "loitering"
    COMING_BACK = "coming_back"
    PERSON_IN_DANGER = "person_in_danger"
    FIRE_OR_SMOKE = "fire_or_smoke"
    UNUSUAL_HOUR = "unusual_hour"
    DELIVERY = "delivery"
    RESIDENT = "resident"
    PASSING_BY = "passing_by"
    ANIMAL = "animal"


MOST_SENTENCE = 120
"""Characters of the summary and of each sentence of the reasoning."""
MOST_SENTENCES, MOST_SIGNS = 5, 4
MOST_TOKENS = 1024
"""More than the longest answer that the schema allows has characters: under its grammar none is ever cut off."""

_Choice = TypeVar("_Choice", bound=StrEnum)

_VISIBLE = r"!#-;=-\[\]-~"
"""ASCII without quote, backslash and `<`: a special token such as `<s>` is text to xgrammar, and then left out."""
_MOST_TEXT = 20_000
"""What is longer is no answer of ours, and is not even parsed."""
_MOST_DIGITS = 9
_MOST_QUOTED = 40


@dataclass(frozen=True, slots=True)
class Answer:
    """A model's judgement, checked; the texts are one plain line each."""

    risk_score: int
    summary: str
    reasoning: str
    signs: tuple[Sign, ...]
    """Each once, in the model's order."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a reply is no answer, in a sentence for a person."""

    reason: str


class _Malformed(Exception):
    """Leaves the reading; never leaves this module."""


def answer_schema(case: str, bands: SeverityBands) -> dict[str, Any]:
    """JSON Schema of the answer to this case.

    Strings are bounded by a pattern of printable ASCII: with `maxLength`, xgrammar lets raw control characters through.
    They begin with something visible. All share one short pattern, since xgrammar prepares each position of each
    pattern for the whole vocabulary, and 0.2.8 with its cache breaks off at repetitions of more than 128.
    """
    sentence = {"type": "string", "pattern": rf"^[{_VISIBLE}][ {_VISIBLE}]{{0,{MOST_SENTENCE - 1}}}$"}
    return _object(
        case={"type": "string", "enum": [case]},
        reasoning={"type": "array", "minItems": 1, "maxItems": MOST_SENTENCES, "items": sentence},
        summary=sentence,
        signs={
            "type": "array",
            "maxItems": MOST_SIGNS,
            "items": {"type": "string", "enum": [sign.value for sign in Sign]},
        },
        risk={
            "anyOf": [
                _object(
                    level={"type": "string", "enum": [band.severity.value]},
                    score={"type": "integer", "minimum": band.min_score, "maximum": band.max_score},
                )
                for band in definitions(bands)
            ]
        },
    )


def read_answer(reply: Reply, case: str, bands: SeverityBands) -> Answer | Fault:
    """The answer, if the reply is a whole one to this case and does not contradict itself."""
    try:
        return _read(_whole_text(reply), case, bands)
    except _Malformed as error:
        return Fault(str(error))


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _whole_text(reply: Reply) -> str:
    if reply.finish_reason == "length":
        _refuse("the answer was cut off at its token limit")
    if reply.finish_reason is None:
        _refuse("the server did not say whether the answer is whole")
    if reply.finish_reason != "stop":
        _refuse(f"the model ended with {_quoted(reply.finish_reason)} instead of an answer")
    if reply.text is None:
        _refuse("the model ended without an answer")
    if len(reply.text) > _MOST_TEXT:
        _refuse(f"the answer has {len(reply.text)} characters, of which {_MOST_TEXT} are read at most")
    if not reply.text.strip():
        _refuse("the answer is empty" if not reply.text else "the answer is nothing but blanks")
    return reply.text


def _read(text: str, case: str, bands: SeverityBands) -> Answer:
    fields = _fields(_parsed(text), "the answer", ("case", "reasoning", "summary", "signs", "risk"))
    answered = _string(fields["case"], "case")
    if answered != case:
        _refuse(f"it answers another question: case {_quoted(answered)} instead of {case}")
    return Answer(
        reasoning=_reasoning(fields["reasoning"]),
        summary=_sentence(fields["summary"], "summary", MOST_SENTENCE),
        signs=_signs(fields["signs"]),
        risk_score=_score(fields["risk"], bands),
    )


def _parsed(text: str) -> Any:
    try:
        return json.loads(
            text,
            strict=False,  # raw line breaks and tabs in strings do come; plain text is made of them later
            object_pairs_hook=_each_once,
            parse_int=_bounded_int,
            parse_constant=_refused_constant,
        )
    except RecursionError:
        _refuse("the answer is nested too deeply")
    except json.JSONDecodeError as error:
        _refuse(_where_it_breaks(text, error))


def _where_it_breaks(text: str, error: json.JSONDecodeError) -> str:
    if text.lstrip().startswith("```"):
        return "the answer stands between code fences instead of being bare JSON"
    if error.msg == "Extra data":
        return f"something follows the JSON: {_quoted(text[error.pos :])}"
    if not text.lstrip().startswith("{"):
        return f"the answer does not begin as a JSON object: {_quoted(text)}"
    return f"the answer is no JSON from character {error.pos + 1} on"


def _each_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            _refuse(f"the field {_quoted(name)} stands there twice")
        found[name] = value
    return found


def _bounded_int(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        _refuse(f"a number of {len(digits)} digits stands in the answer")
    return int(digits)


def _refused_constant(name: str) -> NoReturn:
    _refuse(f"{name} stands in the answer and is no number")


def _fields(value: Any, where: str, names: tuple[str, ...]) -> dict[str, Any]:
    """Exactly these."""
    if not isinstance(value, dict):
        _refuse(f"{where} is {_kind(value)} instead of an object")
    for name in names:
        if name not in value:
            _refuse(f"{where} lacks the field {name}")
    for name in value:
        if name not in names:
            _refuse(f"{where} has a field that was not asked for: {_quoted(name)}")
    return value


def _string(value: Any, name: str) -> str:
    if not isinstance(value, str):
        _refuse(f"{name} is {_kind(value)} instead of text")
    return value


def _sentence(value: Any, name: str, most: int) -> str:
    """What is too long loses its end: the score stands whatever a server without a grammar lets through here."""
    return plain(_string(value, name), most) or _refuse(f"{name} is empty")


def _reasoning(value: Any) -> str:
    """Its sentences in a row. One text instead of a list says the same, and servers without a grammar send it."""
    sentences = (
        [_string(one, "reasoning") for one in value] if isinstance(value, list) else [_string(value, "reasoning")]
    )
    if len(sentences) > MOST_SENTENCES:
        _refuse(f"reasoning has {len(sentences)} sentences, {MOST_SENTENCES} are the most")
    return _sentence(" ".join(sentences), "reasoning", MOST_SENTENCES * (MOST_SENTENCE + 1) - 1)


def _signs(value: Any) -> tuple[Sign, ...]:
    if not isinstance(value, list):
        _refuse(f"signs is {_kind(value)} instead of a list")
    if len(value) > MOST_SIGNS:
        _refuse(f"signs has {len(value)} entries, {MOST_SIGNS} are the most")
    return tuple(dict.fromkeys(_one_of(Sign, one, "signs") for one in value))


def _score(value: Any, bands: SeverityBands) -> int:
    risk = _fields(value, "risk", ("level", "score"))
    named = _one_of(Severity, risk["level"], "risk.level")
    score = risk["score"]
    if isinstance(score, bool) or not isinstance(score, int):
        _refuse(f"risk.score is {_kind(score)} instead of a whole number")
    if not 0 <= score <= MAX_SCORE:
        _refuse(f"risk.score is {score}, and a score is from 0 to {MAX_SCORE}")
    if level(score, bands) is not named:
        _refuse(f"the answer contradicts itself: a score of {score} is {level(score, bands)}, not {named}")
    return score


def _one_of(choices: type[_Choice], value: Any, name: str) -> _Choice:
    written = _string(value, name)
    if written not in {one.value for one in choices}:
        _refuse(f"{name} names {_quoted(written)}, which is none of the choices")
    return choices(written)


def _kind(value: Any) -> str:
    """As a person would say it; a boolean is told from a number."""
    names: dict[type, str] = {bool: "a yes or no", int: "a number", float: "a fraction", str: "text", list: "a list"}
    return "nothing" if value is None else names.get(type(value), "an object")


def _quoted(text: str) -> str:
    return f"'{plain(text[: 4 * _MOST_QUOTED], _MOST_QUOTED)}'"


def _refuse(reason: str) -> NoReturn:
    raise _Malformed(reason)
