"""Bundle: a folder that is read by someone who believes nothing that was not checked."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import inside, sha256_file
from weld_pipeline.core.seals import sealed
from weld_pipeline.runtime.contracts import AnomalyInput, ClipsInput, ImageInput, ViewsInput
from weld_pipeline.runtime.description import BundleDescription, first_fault

BUNDLE_FORMAT = 3
DESCRIPTION = "bundle.json"
GRAPH = "model.onnx"
CARD = "card.md"

T = TypeVar("T", ClipsInput, ViewsInput, AnomalyInput)


@dataclass(frozen=True)
class Bundle:
    """A bundle whose every byte was as described when it was opened.

    Attributes:
        folder: Where it lies.
        description: What `bundle.json` says.
        sha256: Its identity: the seal of `bundle.json`, which holds the hash of every other file.
    """

    folder: Path
    description: BundleDescription
    sha256: str

    def fed(self, contract: type[T]) -> T:
        """Return what the graph is fed, if that is by a certain contract.

        Raises:
            WeldError: If the bundle is fed by another.
        """
        found = self.description.input
        if not isinstance(found, contract):
            raise WeldError(
                f"bundle {self.folder}: {found.DOES}; name a bundle that {contract.DOES}, or the command for this one"
            )
        return found

    def identity(self) -> dict[str, Any]:
        """Return which bundle a verdict was made with, and what must be said beside it."""
        description = self.description
        return {
            "family": description.family,
            "sha256": self.sha256,
            "policy": description.decision.policy.model_dump(mode="json"),
            "banners": list(description.banners),
        }


def load_bundle(folder: Path | str) -> Bundle:
    """Return the bundle in `folder` after checking the hash of every file it lists.

    The hashes find damage and edits; they are no signature, since whoever can write the folder can also reseal it.

    Raises:
        WeldError: If the folder or a listed file is missing, a hash differs, a path leaves the folder, or
            `bundle.json` is of another format, or if images are resized otherwise here than when the model was made.
    """
    folder = Path(folder)
    raw = _read_description(folder)
    if raw.get("format") != BUNDLE_FORMAT:
        raise WeldError(
            f"bundle {folder}: format {raw.get('format')!r}, this version reads format {BUNDLE_FORMAT}; "
            "export it again, or update weld-pipeline"
        )
    if (seal := sealed(raw)["sha256"]) != raw.get("sha256"):
        raise WeldError(
            f"bundle {folder}: {DESCRIPTION} was changed after export (sealed as {raw.get('sha256')}, is {seal}); "
            "export it again, or copy it again from where it was exported"
        )
    try:
        description = BundleDescription.model_validate(raw)
    except ValidationError as error:
        raise WeldError(f"bundle {folder}: {DESCRIPTION}: {first_fault(error)}; export it again") from error
    _verify_files(folder, description)
    _check_resize(folder, description)
    return Bundle(folder, description, seal)


def _read_description(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise WeldError(f"bundle {folder}: no such folder; make one with `kedro run --pipeline=export`")
    path = folder / DESCRIPTION
    if not path.is_file():
        raise WeldError(f"bundle {folder}: holds no {DESCRIPTION}; is it a bundle, and was it copied whole?")
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        json.dumps(raw, allow_nan=False)  # Python reads NaN and numbers too large, of which no verdict can be made
    except ValueError as error:
        raise WeldError(f"bundle {folder}: {DESCRIPTION} is no JSON ({error}); copy the bundle again") from error
    if not isinstance(raw, dict):
        raise WeldError(f"bundle {folder}: {DESCRIPTION} holds a {type(raw).__name__}, not an object; copy it again")
    return raw


def _verify_files(folder: Path, description: BundleDescription) -> None:
    for name in {GRAPH, CARD} - description.files.keys():
        raise WeldError(f"bundle {folder}: {DESCRIPTION} lists no {name}; export it again")
    for name, expected in description.files.items():
        path = inside(folder, name)
        if not path.is_file():
            raise WeldError(f"bundle {folder}: {name} is missing; copy the bundle again")
        if (found := sha256_file(path)) != expected:
            raise WeldError(
                f"bundle {folder}: {name} is not the file that was exported (SHA-256 {found}, expected {expected}); "
                "copy the bundle again, or export it again"
            )


def _check_resize(folder: Path, description: BundleDescription) -> None:
    if isinstance(description.input, ImageInput):
        try:
            description.input.check_resize()
        except WeldError as error:
            raise WeldError(f"bundle {folder}: {error}") from error
