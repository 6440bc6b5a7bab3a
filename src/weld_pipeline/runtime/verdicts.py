"""Verdicts: what every family says of one input, and why nothing is said of another."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol, runtime_checkable

Verdict = Literal["pass", "fail", "no_arc"]


@runtime_checkable
class Timed(Protocol):
    """Where the time of one input went.

    Attributes:
        decode_s: Time to read and decode it [s].
        network_s: Time in the network [s].
        total_s: Time from opening it to the verdict, hash included [s].
    """

    @property
    def decode_s(self) -> float: ...
    @property
    def network_s(self) -> float: ...
    @property
    def total_s(self) -> float: ...


@runtime_checkable
class Inspected(Protocol):
    """The core that verdicts of all families share; each family adds what it alone can say.

    Attributes:
        path: Path as it was given; None for an array.
        sha256: Hash of the file's bytes; None for an array.
        verdict: Outcome; `no_arc`, where no clip was seen, is never a pass.
        predicted: Class that was said; None where nothing was seen.
        score: Score; higher is worse.
        p_defect: Calibrated probability of a defect [0..1]; None where there is none.
        timing: Where the time went.
        n_parts: Number of clips, views or tiles that were looked at.
    """

    @property
    def path(self) -> str | None: ...
    @property
    def sha256(self) -> str | None: ...
    @property
    def verdict(self) -> Verdict: ...
    @property
    def predicted(self) -> str | None: ...
    @property
    def score(self) -> float | None: ...
    @property
    def p_defect(self) -> float | None: ...
    @property
    def timing(self) -> Timed: ...
    @property
    def n_parts(self) -> int: ...

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
