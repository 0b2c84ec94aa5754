"""A question to a language model, and its reply: what every backend and every assessor share."""

from typing import Any

from pydantic import Field

from schemas.frozen import Frozen


class Question(Frozen):
    """One request. Whoever asks again makes a new one."""

    id: str = Field(min_length=1, max_length=100)
    """Names the request; the reply carries it back."""
    system: str
    user: str
    answer_schema: dict[str, Any]
    """JSON Schema that the answer must satisfy; the backend constrains the decoding by it where it can."""
    temperature: float = Field(default=0.2, ge=0, le=2)
    most_tokens: int = Field(default=700, ge=1)
    """Of the answer; what a model thinks aloud before it has a budget of its own."""
    priority: int = 0
    """Lower ones are served first."""
    within_seconds: float = Field(gt=0)
    """From the call to the answer, waiting included."""
    pictures: tuple[bytes, ...] = ()
    """JPEG files, for a model that sees."""


class Reply(Frozen):
    """What came back, unjudged."""

    id: str
    text: str | None
    """None: the model ended without an answer, as one that only thought does."""
    finish_reason: str | None
    """`stop`, `length`, `abort`…; None where the server did not say."""
    model: str
    fingerprint: str | None
    """Of the weights or the server's build: two replies with the same one come from the same model."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    seconds: float
