"""Write a bundle so that it is whole or not there."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weld_pipeline.core.files import inside, sha256_file, write_json
from weld_pipeline.deploy.card import model_card
from weld_pipeline.deploy.description import describe_bundle, evaluation_metrics
from weld_pipeline.runtime.bundle import CARD, DESCRIPTION, GRAPH, sealed
from weld_pipeline.runtime.description import BundleDescription


@dataclass(frozen=True)
class BundleContents:
    """A bundle to be written.

    Attributes:
        description: `bundle.json` without the files and their hashes, which are taken when they are written.
        files: File name to its bytes, or to a file to copy.
    """

    description: Mapping[str, Any]
    files: Mapping[str, bytes | Path]


def candidate(graph: bytes, *, evaluation: Mapping[str, Any], **said: Any) -> BundleContents:
    """Return a bundle before the parity gate: graph, description, card.

    Args:
        graph: ONNX.
        evaluation: From `decision.summary.to_record`.
        said: The other arguments of `describe_bundle`.
    """
    description = describe_bundle(metrics=evaluation_metrics(evaluation), **said)
    return BundleContents(description, {GRAPH: graph, CARD: model_card(description).encode()})


def write_bundle(folder: Path, contents: BundleContents) -> None:
    """Write a bundle to a temporary folder beside `folder`, then put it in its place.

    A kill at any moment leaves the old bundle, the new one, or, between two renames, none; never a mixture.

    Raises:
        pydantic.ValidationError: If the description is not one that the runtime reads.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".tmp", dir=folder.parent))
    try:
        _fill(temporary, contents)
        temporary.chmod(0o755)
        retired = temporary.with_suffix(".old")
        if folder.exists():
            folder.replace(retired)
        temporary.replace(folder)
        shutil.rmtree(retired, ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _fill(folder: Path, contents: BundleContents) -> None:
    hashes = {}
    for name, source in sorted(contents.files.items()):
        path = inside(folder, name)
        if isinstance(source, bytes):
            path.write_bytes(source)
        else:
            shutil.copyfile(source, path)
        with path.open("rb") as written:
            os.fsync(written.fileno())
        hashes[name] = sha256_file(path)
    description = {**contents.description, "files": hashes}
    BundleDescription.model_validate(description)
    write_json(folder / DESCRIPTION, sealed(description))
