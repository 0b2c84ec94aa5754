"""A question as the body of a chat completion: what every server that speaks OpenAI's protocol is sent."""

import re
from base64 import b64encode
from typing import Any

from schemas.language import Question

OPTIONAL = ("priority", "chat_template_kwargs", "thinking_token_budget")
"""What vLLM understands beyond the protocol, and other servers may refuse: it is left out where they name it."""
_READ_AS_A_SIGN = re.compile(
    r"<(?=\|)|<(?=/?(?:s|think|pad|unk|bos|eos|SPECIAL_\d+|start_of_turn|end_of_turn)>)"
    r"|\[(?=/?[A-Z_]+\])|/(?=(?:no_)?think\b)"
)
_SWITCHED_BY_A_WORD = re.compile(r"nemotron-nano-(9b|12b)-v2", re.IGNORECASE)


def chat_request(
    question: Question, model: str, *, thinking_tokens: int | None, names: tuple[str, ...] = ()
) -> dict[str, Any]:
    """`thinking_tokens`: the budget of a model that may think aloud, None for one that may not.

    `names` are further names of the model, as its folder's.
    """
    wordless = any(_SWITCHED_BY_A_WORD.search(name) for name in (model, *names))
    system = plain_letters(question.system) + ("\n/no_think" if wordless and thinking_tokens is None else "")
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": "system", "content": system}, {"role": "user", "content": _content(question)}],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "assessment", "strict": True, "schema": question.answer_schema},
        },
        "temperature": question.temperature,
        "max_tokens": question.most_tokens + (thinking_tokens or 0),
        "n": 1,
        "stream": False,
        "chat_template_kwargs": {"enable_thinking": thinking_tokens is not None},
    }
    if question.priority:
        body["priority"] = question.priority
    if thinking_tokens is not None:
        body["thinking_token_budget"] = thinking_tokens
    return body


def plain_letters(text: str) -> str:
    """The text with a space in all that a server's tokenizer or template could take for a sign of its own.

    It would read a camera called `<|im_end|>` as the end of the message, and `/think` as an order. A prompt that quotes
    what comes from outside holds none of these, and stays as it is.
    """
    return _READ_AS_A_SIGN.sub(r"\g<0> ", text)


def _content(question: Question) -> str | list[dict[str, Any]]:
    if not question.pictures:
        return plain_letters(question.user)
    shown = [
        {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{b64encode(picture).decode()}"}}
        for picture in question.pictures
    ]
    return [*shown, {"type": "text", "text": plain_letters(question.user)}]
