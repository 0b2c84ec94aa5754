"""One batch's questions to a language model so far: what is asked, and what is kept of each try."""

from dataclasses import dataclass, field

from actors.key_pictures import SentPicture
from domain.plain_text import plain
from domain.prompt import Prompt
from schemas.assessment import Attempt, ModelTrace
from schemas.language import Reply
from schemas.prompt_facts import PromptFacts

KEPT_CHARACTERS = 20_000
"""Of a raw answer; the longest that is asked for has 1,100."""
_MOST_NAME = 200


@dataclass
class Asking:
    """One batch's prompt, and what came of putting it to a model."""

    facts: PromptFacts
    prompt: Prompt
    pictures: tuple[SentPicture, ...]
    priority: int
    attempts: list[Attempt] = field(default_factory=list)
    model: str | None = None
    fingerprint: str | None = None

    def trace(self) -> ModelTrace:
        return ModelTrace(
            prompt_version=self.prompt.version,
            prompt_sha256=self.prompt.sha256,
            facts=self.facts,
            model=self.model,
            fingerprint=self.fingerprint,
            attempts=tuple(self.attempts),
            pictures=tuple(picture.kept for picture in self.pictures),
        )

    def note(self, temperature: float, seconds: float, fault: str | None, reply: Reply | None = None) -> None:
        """Keeps a try; what a server says of itself is from outside, and bounded here."""
        self.attempts.append(
            Attempt(
                temperature=temperature,
                text=None if reply is None or reply.text is None else reply.text[:KEPT_CHARACTERS],
                finish_reason=None if reply is None else _bounded(reply.finish_reason),
                prompt_tokens=None if reply is None else reply.prompt_tokens,
                completion_tokens=None if reply is None else reply.completion_tokens,
                seconds=round(seconds, 3),
                fault=fault,
            )
        )
        if reply is not None:
            self.model, self.fingerprint = _bounded(reply.model), _bounded(reply.fingerprint)


def _bounded(text: str | None) -> str | None:
    return None if text is None else plain(text, _MOST_NAME)
