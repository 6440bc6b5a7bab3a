"""Errors that a user is meant to read."""

from typing import ClassVar, Generic, TypeVar

_Kind = TypeVar("_Kind", bound=str)


class WeldError(ValueError):
    """A mistake a user can mend: the message names the thing, the value and the next step.

    Doors (`weld`, `kedro run`) print the message alone. Any other exception is a defect of this program and keeps its
    traceback.
    """


class UnusableFileError(WeldError, Generic[_Kind]):
    """A file that cannot be used.

    Args:
        code: Kind of problem, as the manifest names it.
        name: Name of the file, as it is told.
        what: Problem and next step.
    """

    THING: ClassVar[str]

    def __init__(self, code: _Kind, name: object, what: str) -> None:
        super().__init__(f"{self.THING} {name}: {what}")
        self.code = code
        self.what = what
