"""What storage says when it cannot do as asked; no driver's exception leaves the layer.

    StoreError ─┬─ StoreUnavailable    away, full, overloaded or too slow: the same call may work later
                ├─ Conflict            a constraint says no: the same call will fail again
                ├─ LeaseLost           the row is in another worker's hands by now
                ├─ NotFound            the row does not exist
                ├─ InvalidValue        the database cannot hold this value
                ├─ MigrationRefused    the database and this program do not fit together
                ├─ StoreSetupFailed    our own PostgreSQL or Redis cannot be set up; the message names the mend
                └─ AlreadyRunning      another system holds this DATA_DIR

Arguments are positional, so that every error survives the trip between actors.
"""


class StoreError(Exception):
    """The root; raised itself for a defect of ours, such as SQL that PostgreSQL does not accept."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message


class StoreUnavailable(StoreError):
    pass


class Conflict(StoreError):
    def __init__(self, message: str, constraint: str = "") -> None:
        super().__init__(message)
        self.args = (message, constraint)
        self.constraint = constraint
        """The constraint's or unique index's name; empty when the conflict is not a constraint's."""


class LeaseLost(StoreError):
    pass


class NotFound(StoreError):
    pass


class InvalidValue(StoreError):
    pass


class MigrationRefused(StoreError):
    pass


class StoreSetupFailed(StoreError):
    pass


class AlreadyRunning(StoreError):
    pass
