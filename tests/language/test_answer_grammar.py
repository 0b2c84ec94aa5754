"""The answer's schema in the grammars that vLLM makes of it: what they let a model write, and that they can be made."""

import json
from typing import Any

import pytest

from domain.answer import answer_schema
from schemas.severity import SeverityBands

CASE = "1f3c09ab"
BANDS = (
    SeverityBands(),
    SeverityBands(low_max=1, medium_max=2, high_max=3),
    SeverityBands(low_max=97, medium_max=98, high_max=99),
)
BYTES = [bytes([number]) for number in range(256)]


def written(**changes: str) -> str:
    parts = {"reasoning": '["a b"]', "summary": '"s"', "signs": '["weapon"]', "risk": '{"level": "low", "score": 1}'}
    parts |= changes
    return "{" + f'"case": "{parts.pop("case", CASE)}", ' + ", ".join(f'"{k}": {v}' for k, v in parts.items()) + "}"


@pytest.fixture(scope="module")
def compiler() -> Any:
    """As vLLM makes it, with a cache; over bytes, which every vocabulary is made of."""
    import xgrammar

    tokens = xgrammar.TokenizerInfo([*BYTES, b"</s>"], vocab_type=xgrammar.VocabType.RAW, stop_token_ids=[len(BYTES)])
    return xgrammar.GrammarCompiler(tokens, cache_enabled=True)


def accepted(compiler: Any, text: str, bands: SeverityBands = BANDS[0]) -> bool:
    import xgrammar

    grammar = compiler.compile_json_schema(json.dumps(answer_schema(CASE, bands)), any_whitespace=False)
    matcher = xgrammar.GrammarMatcher(grammar, terminate_without_stop_token=True)
    return bool(matcher.accept_string(text)) and bool(matcher.is_terminated())


@pytest.mark.parametrize("bands", BANDS)
def test_vllm_finds_nothing_in_it_that_its_grammars_do_not_know(bands: SeverityBands) -> None:
    from vllm.v1.structured_output.backend_guidance import has_guidance_unsupported_json_features
    from vllm.v1.structured_output.backend_xgrammar import has_xgrammar_unsupported_json_features

    assert not has_xgrammar_unsupported_json_features(answer_schema(CASE, bands))
    assert not has_guidance_unsupported_json_features(answer_schema(CASE, bands))


@pytest.mark.parametrize(
    "text",
    [
        written(),
        written(signs="[]", reasoning='["a", "b", "c", "d", "e"]'),
        written(summary='"' + "s" * 120 + '"'),
        written(risk='{"level": "low", "score": 0}'),
        written(risk='{"level": "critical", "score": 100}'),
    ],
)
def test_xgrammar_lets_a_whole_answer_through(compiler: Any, text: str) -> None:
    assert accepted(compiler, text)


@pytest.mark.parametrize(
    "text",
    [
        written(case="00000000"),
        written(reasoning="[]"),
        written(reasoning='["a", "b", "c", "d", "e", "f"]'),
        written(summary='""'),
        written(summary='" "'),
        written(summary='"a\tb"'),
        written(summary='"a\\nb"'),
        written(summary='"<s>"'),
        written(summary='"' + "s" * 121 + '"'),
        written(signs='["hacked"]'),
        written(signs='["weapon", "weapon", "weapon", "weapon", "weapon"]'),
        written(risk='{"level": "low", "score": 30}'),
        written(risk='{"level": "low", "score": -1}'),
        written(risk='{"level": "low", "score": 01}'),
        written(risk='{"level": "low", "score": 1.0}'),
        written(risk='{"level": "critical", "score": 101}'),
        written(risk='{"level": "low"}'),
        written(risk='{"level": "low", "score": 1}, "more": 1'),
        written().replace(", ", "\n\n\n, "),
    ],
)
def test_xgrammar_lets_nothing_else_through(compiler: Any, text: str) -> None:
    assert not accepted(compiler, text)


@pytest.mark.parametrize("bands", BANDS)
def test_llguidance_makes_a_grammar_of_it_too(bands: SeverityBands) -> None:
    import llguidance

    grammar = llguidance.LLMatcher.grammar_from_json_schema(answer_schema(CASE, bands))
    assert llguidance.LLMatcher.validate_grammar(grammar) == ""
