"""What the analyzer needs of whatever runs or reaches a language model."""

from typing import Any, Protocol

from schemas.language import Question, Reply


class Backend(Protocol):
    """One model: an engine in this process, or a server elsewhere. Used from one event loop."""

    async def start(self) -> None:
        """Loads or reaches it. Raises ModelUnusable where somebody must mend something, ModelAway otherwise."""
        ...

    async def stop(self) -> None:
        """Gives everything back; harmless when it never started or has died. `start` may follow."""
        ...

    async def ask(self, question: Question) -> Reply:
        """Raises ModelAway, ModelTooSlow, QuestionRefused. A call that is cancelled ends the work behind it too."""
        ...

    def fault(self) -> str | None:
        """Why it can no longer answer and must be started again; None while it can."""
        ...

    def describe(self) -> dict[str, Any]:
        """`model`, `fingerprint`, `backend`, `device`, and what is worth knowing of this kind."""
        ...
