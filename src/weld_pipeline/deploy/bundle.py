"""Bundle to be written: graph, description and card, whole or not there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weld_pipeline.core.files import atomic_folder, inside, link_or_copy, sha256_file
from weld_pipeline.core.seals import write_record
from weld_pipeline.deploy.card import model_card
from weld_pipeline.deploy.description import describe_bundle, evaluation_metrics
from weld_pipeline.runtime.bundle import CARD, DESCRIPTION, GRAPH, Bundle
from weld_pipeline.runtime.description import BundleDescription


@dataclass(frozen=True)
class BundleContents:
    """A bundle to be written.

    Attributes:
        description: `bundle.json` without the files and their hashes, which are taken when they are written.
        files: File name to its bytes, or to a file that becomes a second name of the same bytes.
    """

    description: Mapping[str, Any]
    files: Mapping[str, bytes | Path]


@dataclass(frozen=True)
class ExportedGraph:
    """A graph and what is to be known of it; each family makes its own.

    Attributes:
        classes: Classes in the order of its outputs.
        contract: What it is fed, from `deploy.description`.
    """

    onnx: bytes
    classes: Sequence[str]
    good_class: str
    contract: Mapping[str, Any]
    weights: Mapping[str, Any]


def candidate(graph: ExportedGraph, *, evaluation: Mapping[str, Any], **fields: Any) -> BundleContents:
    """Return a bundle before the parity gate: graph, description, card.

    Args:
        evaluation: From `evaluation.summary.to_record`.
        fields: The other arguments of `describe_bundle`.
    """
    description = describe_bundle(
        classes=graph.classes,
        good_class=graph.good_class,
        contract=graph.contract,
        weights=graph.weights,
        metrics=evaluation_metrics(evaluation),
        **fields,
    )
    return BundleContents(description, {GRAPH: graph.onnx, CARD: model_card(description).encode()})


def released(candidate: Bundle, parity: Mapping[str, Any]) -> BundleContents:
    """Return a candidate as a release: the same graph, with the parity it was given on record.

    Args:
        parity: From `deploy.parity.gate.check_parity`; its samples are left out.
    """
    summary = {name: value for name, value in parity.items() if name != "samples"}
    description = candidate.description.model_dump(mode="json", exclude={"files", "sha256"}) | {"parity": summary}
    return BundleContents(description, {GRAPH: candidate.folder / GRAPH, CARD: model_card(description).encode()})


def write_bundle(folder: Path, contents: BundleContents) -> None:
    """Write a bundle to a temporary folder beside `folder`, then put it in its place.

    A kill at any moment leaves the old bundle, the new one, or, between two renames, none; never a mixture.

    Raises:
        pydantic.ValidationError: If the description is not one that the runtime reads.
        WeldError: If the disk is full.
    """
    with atomic_folder(folder) as temporary:
        hashes = {name: _put(inside(temporary, name), source) for name, source in sorted(contents.files.items())}
        description = {**contents.description, "files": hashes}
        BundleDescription.model_validate(description)
        write_record(temporary / DESCRIPTION, description)


def _put(path: Path, source: bytes | Path) -> str:
    """Put one file of a bundle in its place and return its SHA-256."""
    if isinstance(source, bytes):
        path.write_bytes(source)
    else:
        link_or_copy(source, path)
    return sha256_file(path)
