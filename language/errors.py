"""What goes wrong with a language model. Positional arguments only: these travel between processes."""


class ModelAway(Exception):
    """There is no model to ask: it loads, it died, its server does not answer. The reason is for a person."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)

    @property
    def reason(self) -> str:
        return str(self.args[0])


class ModelBusy(ModelAway):
    """It works, and has no room for another question just now."""


class ModelUnusable(ModelAway):
    """It cannot be loaded or asked until somebody mends something: the reason says what."""


class ModelTooSlow(Exception):
    """No answer within the question's time; it has been given up."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)

    def __str__(self) -> str:
        return f"no answer within {self.args[0]:g} s"


class QuestionRefused(Exception):
    """The model works, and this question cannot be put to it: too long, or with pictures for one that does not see."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)

    @property
    def reason(self) -> str:
        return str(self.args[0])
