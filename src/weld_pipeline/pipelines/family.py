"""Family: what a kind of model brings so that every stage knows what to do with it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from kedro.pipeline import Pipeline

Node = Callable[..., Any]
# The hooks fill it in with the MLflow run of the member.
RUN_ID = "params:mlflow_run_id"


@dataclass(frozen=True)
class Bundling:
    """How trained parts become a bundle; the functions are nodes.

    Attributes:
        parts: Datasets that `assemble` takes.
        assemble: Returns the torch module that is exported.
        learned: Datasets that `export_graph` takes beside the module.
        export_graph: Returns an `ExportedGraph`.
        parity: Key of the parameters of the gate below `export`.
        parameters: Parameters that `export_graph` takes: argument to parameters of the source.
        settings: Parameters of `export` that `assemble` takes.
    """

    parts: tuple[str, ...]
    assemble: Node
    learned: tuple[str, ...]
    export_graph: Node
    parity: str
    parameters: tuple[tuple[str, str], ...] = ()
    settings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Family:
    """One entry of `families.FAMILIES`.

    Attributes:
        name: Pipeline that runs all its members from raw files to verdicts.
        members: Namespaces, one a model: recipes, detectors.
        source: Namespace of raw files and manifest that all members share; None where each member has its own.
        learn: Returns the pipeline from manifest to calibrated predictions in a member's namespace.
        extras: Returns what a member has to show beside its predictions; see `evaluation.create_pipeline`.
        inspection: Key of the parameters below `inspection` that choose what is inspected and timed.
        show_verdicts: Returns what is drawn of a member's verdicts; None where nothing is.
        compare: Returns what sets all members beside each other; None where nothing does.
    """

    name: str
    media: Literal["video", "image"]
    members: tuple[str, ...]
    source: str | None
    learn: Callable[[str], Pipeline]
    extras: Callable[[str], tuple[str, ...]]
    bundling: Bundling
    inspection: str
    show_verdicts: Callable[[str], Pipeline] | None = None
    compare: Callable[[], Pipeline] | None = None

    def source_of(self, member: str) -> str:
        """Return the namespace of a member's raw files and manifest."""
        return self.source or member

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the namespaces that are ingested for it."""
        return (self.source,) if self.source else self.members

    def ingested(self, *names: str) -> dict[str, str]:
        """Return what a template takes from a shared source: name in the template to name of the dataset."""
        return {name: f"{self.source}.{name}" for name in names} if self.source else {}
