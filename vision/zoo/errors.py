"""Why a model of the zoo cannot be used; positional arguments, so that each survives the trip between processes."""


class ModelUnavailable(Exception):
    """It cannot be used until somebody changes something; the reason says what."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self.name = name
        self.reason = reason

    def __str__(self) -> str:
        return f"the model {self.name} is not available: {self.reason}"


class ModelBusy(Exception):
    """Not now: the same call may work in a moment."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self.name = name
        self.reason = reason

    def __str__(self) -> str:
        return f"the model {self.name} is busy: {self.reason}"


class NoWeights(Exception):
    """There is nothing to load; the reason says what to put where."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
