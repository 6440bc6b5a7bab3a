"""Verdicts: what is said of one input, or why nothing is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class NotInspected:
    """A path that got no verdict, which is never a pass.

    Attributes:
        path: The path as it was given or found.
        error: What was wrong and what to do.
    """

    path: str
    error: str

    def to_json(self) -> dict[str, str]:
        """Return it as JSON-able values."""
        return {"path": self.path, "error": self.error}
