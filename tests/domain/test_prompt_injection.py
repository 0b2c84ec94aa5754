"""Names from outside leave the prompt's structure as it is, whatever they say."""

import json
from typing import Any

import pytest
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

from domain.prompt import Prompt, render
from domain.prompt_facts import prompt_facts
from schemas.prompt_facts import PromptFacts
from schemas.runtime_config import RuntimeConfig
from tests.domain.injections import INJECTIONS
from tests.domain.prompt_scenes import detection, earlier, evidence, usual

SPECIAL_TOKENS = (
    *("<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|begin_of_text|>", "<|start_header_id|>"),
    *("<s>", "</s>", "[INST]", "[/INST]", "<<SYS>>", "[TOOL_CALLS]", "[AVAILABLE_TOOLS]", "<SPECIAL_10>"),
    *("<SPECIAL_11>", "<SPECIAL_12>", "<think>", "</think>", "<start_of_turn>", "<|SYSTEM_TOKEN|>", "<image>"),
    *("<｜begin▁of▁sentence｜>", "<TOOLCALL>", "</TOOLCALL>", "<unk>", "<pad>", "<mask>", "<0x0A>", "<img>", "<video>"),
)


def told(text: str) -> Prompt:
    """A prompt with this text in every place that comes from outside."""
    found = evidence(
        [detection(0, 100), detection(2, 700, object_type=text), detection(4, 900, object_type=text)],
        unusual=(usual("person"), usual(text)),
        recent=(earlier(2, 3, "x", text, ("person", text)), earlier(1, 9, "y", "Yard", (text,))),
        camera_name=text,
    )
    return render(prompt_facts(found, RuntimeConfig()))


def shape(value: Any) -> Any:
    """The value with its texts left out."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return "" if isinstance(value, str) else value


def facts_told(prompt: Prompt) -> Any:
    return json.loads(prompt.user.removeprefix("<facts>\n").split("\n</facts>\n")[0])


HARMLESS = told("harmless")


def test_there_are_forty_of_them_at_least() -> None:
    assert len(set(INJECTIONS)) == len(INJECTIONS) >= 40


@pytest.mark.parametrize("text", INJECTIONS)
def test_no_injection_changes_lines_marks_keys_or_figures(text: str) -> None:
    prompt = told(text)

    assert prompt.system == HARMLESS.system
    assert len(prompt.user.splitlines()) == len(HARMLESS.user.splitlines())
    assert prompt.user.count("<facts>\n") == prompt.user.count("\n</facts>\n") == 1
    assert prompt.user.count("<") == prompt.user.count(">") == 2
    assert prompt.user.splitlines()[-1] == HARMLESS.user.splitlines()[-1]
    assert shape(facts_told(prompt)) == shape(facts_told(HARMLESS))


@pytest.mark.parametrize("text", INJECTIONS)
def test_no_injection_makes_the_prompt_much_longer(text: str) -> None:
    assert len(told(text).user) < len(HARMLESS.user) + 2 * 48 + 6 * 24


@pytest.mark.parametrize("text", INJECTIONS)
def test_facts_made_up_by_hand_are_quoted_as_well(text: str) -> None:
    found = prompt_facts(evidence([detection(0, 1)], recent=(earlier(),)), RuntimeConfig())
    forged = PromptFacts.model_construct(
        **{
            **dict(found),
            "camera": text,
            "tracks": (found.tracks[0].model_copy(update={"object_type": text}),),
            "recent": (found.recent[0].model_copy(update={"camera": text, "object_types": (text,)}),),
        }
    )

    assert shape(facts_told(render(forged))) == shape(facts_told(render(found)))


def tokenizer() -> Tokenizer:
    """Bytes as tokens, and the chat templates' own tokens beside them, recognised wherever they stand."""
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made = Tokenizer(models.BPE({letter: number for number, letter in enumerate(sorted(alphabet))}, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL_TOKENS])
    return made


def test_a_tokenizer_finds_no_special_token_in_any_prompt() -> None:
    made = tokenizer()
    special = {made.token_to_id(token) for token in SPECIAL_TOKENS}
    raw = [text for text in INJECTIONS if special & set(made.encode(text.encode("utf-8", "replace").decode()).ids)]

    assert len(raw) >= 15
    for text in raw:
        prompt = told(text)
        assert not special & set(made.encode(prompt.system + prompt.user).ids)
