"""Verdicts: what every family says of one input, and why nothing is said of another."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

Verdict = Literal["pass", "fail", "no_arc"]


class Timed(Protocol):
    """Where the time of one input went."""

    @property
    def decode_s(self) -> float:
        """Time to read and decode it [s]."""

    @property
    def network_s(self) -> float:
        """Time in the network [s]."""

    @property
    def total_s(self) -> float:
        """Time from opening it to the verdict, hash included [s]."""


class Inspected(Protocol):
    """The core that verdicts of all families share; each family adds what it alone can say."""

    @property
    def path(self) -> str | None:
        """Path as it was given; None for an array."""

    @property
    def sha256(self) -> str | None:
        """Hash of the file's bytes; None for an array."""

    @property
    def verdict(self) -> Verdict:
        """Outcome; `no_arc`, where no clip was seen, is never a pass."""

    @property
    def predicted(self) -> str | None:
        """Class that was said; None where nothing was seen."""

    @property
    def score(self) -> float | None:
        """Score; higher is worse."""

    @property
    def p_defect(self) -> float | None:
        """Calibrated probability of a defect [0..1]; None where there is none."""

    @property
    def timing(self) -> Timed:
        """Where the time went."""

    @property
    def n_parts(self) -> int:
        """Number of clips, views or tiles that were looked at."""

    def compact(self) -> "Inspected":
        """Return a copy without pixels and maps, of which a program can keep any number."""

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-able values, without pixels and maps."""


@dataclass(frozen=True)
class NotInspected:
    """An input that got no verdict. It has no class, so nobody takes it for a pass.

    Attributes:
        path: Path as it was given.
        error: Why, and what to do.
    """

    path: str
    error: str

    @property
    def verdict(self) -> Literal["not_inspected"]:
        """Return what stands in the place of a verdict."""
        return "not_inspected"

    def compact(self) -> "NotInspected":
        """Return itself."""
        return self

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-able values."""
        return {"path": self.path, "verdict": self.verdict, **asdict(self)}
