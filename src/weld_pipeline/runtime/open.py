"""Opening a bundle: the one door to every family."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

from weld_pipeline import runtime
from weld_pipeline.core.errors import WeldError
from weld_pipeline.engines.session import Engine
from weld_pipeline.runtime.bundle import Bundle, load_bundle
from weld_pipeline.runtime.verdicts import Inspected, NotInspected


@runtime_checkable
class Inspector(Protocol):
    """A bundle, loaded once, that inspects any number of inputs.

    Attributes:
        OPTIONS: What it takes beyond engine and threads.
        bundle: What judges.
    """

    OPTIONS: ClassVar[frozenset[str]]
    bundle: Bundle

    def find(self, paths: Iterable[Path]) -> list[Any]:
        """Return the inputs that were meant by files, folders and patterns, or by `-`, which is stdin."""

    def inspect(self, source: Any) -> Inspected:
        """Return the verdict on one input.

        Raises:
            WeldError: If it cannot be used.
        """

    def inspect_each(self, sources: Iterable[Any]) -> Iterator[Inspected | NotInspected]:
        """Yield a verdict an input, in order, or why there is none: a broken one does not lose the others."""

    def table(self, results: Iterable[Any]) -> Any:
        """Return a table of results for a terminal, as rich prints it."""

    def store(self, folder: Path, verdict: Any) -> Path:
        """Return the new file that keeps a verdict."""


# By the contract in bundle.json; a family's modules load when a bundle asks for them. A further family is a line here.
INSPECTORS: dict[str, Callable[[], Any]] = {
    "clips": lambda: runtime.video.inspector.VideoInspector,
    "views": lambda: runtime.image.inspector.WeldClassifier,
    "anomaly_map": lambda: runtime.anomaly.inspector.WeldDetector,
}


def open_inspector(
    bundle: Bundle | Path | str, *, engine: Engine = "onnxruntime", n_threads: int = 0, **options: Any
) -> Inspector:
    """Return the inspector of a bundle, whatever its family.

    Args:
        bundle: Folder of a bundle, whose hashes are checked, or one loaded already.
        engine: What runs the graph; see `engines.open.open_graph`.
        n_threads: Threads of the network; 0 takes one a core.
        options: What some families take: `tta`, `max_pixels`, `travel_mm_s`. None counts as not given.

    Raises:
        WeldError: If the bundle cannot be believed, or its family does not take an option.
    """
    opened = bundle if isinstance(bundle, Bundle) else load_bundle(bundle)
    contract = opened.description.input
    inspector = INSPECTORS[contract.contract]()
    given = {name: value for name, value in options.items() if value is not None}
    if unknown := sorted(given.keys() - inspector.OPTIONS):
        raise WeldError(
            f"option {unknown[0]}: bundle {opened.folder} {contract.DOES}, which does not take it; leave it out"
        )
    return inspector(opened, engine=engine, n_threads=n_threads, **given)
