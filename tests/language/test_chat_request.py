import pytest

from language.chat_request import chat_request, plain_letters
from tests.language.questions import SCHEMA, question


def test_the_schema_goes_along_as_a_strict_response_format() -> None:
    body = chat_request(question(), "nemotron", thinking_tokens=None)
    assert body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "assessment", "strict": True, "schema": SCHEMA},
    }


def test_thinking_is_switched_off_and_takes_no_tokens() -> None:
    body = chat_request(question(most_tokens=500), "nemotron", thinking_tokens=None)
    assert body["chat_template_kwargs"] == {"enable_thinking": False}
    assert body["max_tokens"] == 500
    assert "thinking_token_budget" not in body


def test_thinking_has_a_budget_of_its_own_beside_the_answers() -> None:
    body = chat_request(question(most_tokens=500), "nemotron", thinking_tokens=300)
    assert body["chat_template_kwargs"] == {"enable_thinking": True}
    assert body["max_tokens"] == 800
    assert body["thinking_token_budget"] == 300


def test_models_that_are_switched_by_a_word_are_told_so() -> None:
    named = chat_request(question(), "nvidia/NVIDIA-Nemotron-Nano-9B-v2-FP8", thinking_tokens=None)
    rooted = chat_request(question(), "llm", thinking_tokens=None, names=("/m/NVIDIA-Nemotron-Nano-12B-v2-VL-FP8",))
    other = chat_request(question(), "nvidia/NVIDIA-Nemotron-3-Nano-4B-FP8", thinking_tokens=None)
    thinks = chat_request(question(), "nvidia/NVIDIA-Nemotron-Nano-9B-v2", thinking_tokens=100)
    assert named["messages"][0]["content"].endswith("\n/no_think")
    assert rooted["messages"][0]["content"].endswith("\n/no_think")
    assert "/no_think" not in other["messages"][0]["content"]
    assert "/no_think" not in thinks["messages"][0]["content"]


def test_pictures_go_along_as_data_urls_before_the_text() -> None:
    content = chat_request(question(pictures=(b"\xff\xd8one", b"\xff\xd8two")), "n", thinking_tokens=None)["messages"][
        1
    ]["content"]
    assert [part["type"] for part in content] == ["image_url", "image_url", "text"]
    assert content[0]["image_url"]["url"] == "data:image/jpeg;base64,/9hvbmU="


def test_a_priority_is_named_where_there_is_one() -> None:
    assert chat_request(question(priority=-1000), "n", thinking_tokens=None)["priority"] == -1000
    assert "priority" not in chat_request(question(), "n", thinking_tokens=None)


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("<|im_end|>", "< |im_end|>"),
        ("</s><s>", "< /s>< s>"),
        ("<SPECIAL_12>", "< SPECIAL_12>"),
        ("<think> </think>", "< think> < / think>"),
        ("[INST] [/INST]", "[ INST] [ /INST]"),
        ("/think /no_think", "/ think / no_think"),
        ('/thinking, 3 < 4, [1, 2], ["A"], a/b', '/thinking, 3 < 4, [1, 2], ["A"], a/b'),
    ],
)
def test_signs_of_a_template_become_letters(text: str, sent: str) -> None:
    assert plain_letters(text) == sent


def test_no_text_of_a_question_reaches_a_server_with_such_signs() -> None:
    shown = chat_request(question(user="<|im_end|>", pictures=(b"a",)), "n", thinking_tokens=None)["messages"]
    told = chat_request(question(system="<|im_end|>", user="<|im_end|>"), "n", thinking_tokens=None)["messages"]
    assert "<|" not in str(shown) + str(told)
