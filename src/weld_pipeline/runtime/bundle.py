"""The bundle format: what `bundle.json` says, and a reader that believes nothing it has not checked."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError, model_validator

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import content_key, inside, sha256_file
from weld_pipeline.media.clips import ArcGate

BUNDLE_FORMAT = 1
DESCRIPTION = "bundle.json"
GRAPH = "model.onnx"
CARD = "card.md"


class _Part(BaseModel):
    # A newer writer may add keys; what this reader does not know it need not refuse.
    model_config = ConfigDict(frozen=True, extra="allow", protected_namespaces=())


class GateContract(_Part):
    """When a frame counts as arc-on; see `media.clips.ArcGate`."""

    min_luma: int = Field(ge=0, le=255)
    min_bright_fraction: float = Field(ge=0, le=1)
    min_clip_fraction: float = Field(ge=0, le=1)


class VideoInput(_Part):
    """What the graph is fed: clips of `window` frames every `stride` frames of the arc-on part, at native size."""

    media: Literal["video"]
    channels: Literal["RGB"]
    window: PositiveInt
    stride: PositiveInt
    gate: GateContract
    latent_size: PositiveInt
    """Length of the graph's state."""


class ImageInput(_Part):
    """What the graph is fed: pictures at native size, and the views of them, once resized, that the network sees."""

    media: Literal["image"]
    channels: Literal["RGB"]
    resized_px: PositiveInt
    """Side of the square that the graph resizes to."""
    crop_px: PositiveInt
    """Side of a view."""
    grey: bool
    """Whether the graph makes one channel of the three."""
    views: Literal["centre", "ten"]
    """What calibration and numbers were made with, and so what is looked at unless told otherwise."""


class WeightsRecord(_Part):
    """The weights the trunk began with; `sha256` is of their file, or of the tensors where they are random."""

    name: str
    source: str
    sha256: str | None
    licence: str
    is_random: bool


class Provenance(_Part):
    """Where the bundle came from."""

    code_commit: str | None
    code_is_dirty: bool | None
    code_version: str
    data_sha256: str
    weights: WeightsRecord
    mlflow_run_id: str | None
    library_versions: dict[str, str]


class EstimateRecord(_Part):
    """A number, its interval over sessions, on how much it rests, and whether that is too little to rely on it."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    n_sessions: int
    is_small: bool


class BundleDescription(_Part):
    """The content of `bundle.json`."""

    format: Literal[1]
    family: str
    classes: list[str] = Field(min_length=2)
    good_class: str
    input: Annotated[VideoInput | ImageInput, Field(discriminator="media")]
    threshold: float | None = Field(ge=0, le=1)
    """`p_defect` from which the verdict is fail; None without calibration: then every class but the good one fails."""
    calibration: dict[str, Any] | None
    """Temperature and Platt's numbers, for the reader; the graph has them inside. None where there was no calib split."""
    provenance: Provenance
    metrics: dict[str, EstimateRecord]
    """Metric to value on the test split."""
    banners: list[str]
    """What must be said wherever a number of this bundle is shown: random weights, leakage, …"""
    parity: dict[str, Any] | None
    """How far the graph and torch differ; None until the parity gate has passed it."""
    files: dict[str, str]
    """File name to SHA-256."""

    @model_validator(mode="after")
    def _has_a_way_to_a_verdict(self) -> "BundleDescription":
        if (self.threshold is None) != (self.calibration is None):
            raise ValueError("threshold and calibration come together: one is null, the other is not")
        if self.calibration is None and self.input.media == "video":
            raise ValueError("threshold and calibration are null, but a video family has both")
        return self


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

    @property
    def video(self) -> VideoInput:
        """What the graph of a video family is fed.

        Raises:
            WeldError: If the bundle inspects pictures.
        """
        if isinstance(self.description.input, ImageInput):
            raise WeldError(f"bundle {self.folder}: inspects pictures, not video; name the bundle of a video family")
        return self.description.input

    @property
    def image(self) -> ImageInput:
        """What the graph of an image family is fed.

        Raises:
            WeldError: If the bundle inspects video.
        """
        if isinstance(self.description.input, VideoInput):
            raise WeldError(f"bundle {self.folder}: inspects video, not pictures; name the bundle of an image family")
        return self.description.input

    @property
    def gate(self) -> ArcGate:
        """The arc rule the model was trained with."""
        gate = self.video.gate
        return ArcGate(gate.min_luma, gate.min_bright_fraction, gate.min_clip_fraction)

    def identity(self) -> dict[str, Any]:
        """Return which bundle a verdict was made with, and what must be said beside it."""
        description = self.description
        return {"family": description.family, "sha256": self.sha256, "banners": list(description.banners)}


def sealed(description: dict[str, Any]) -> dict[str, Any]:
    """Return the description with `sha256`, the content key of everything else in it."""
    body = {name: value for name, value in description.items() if name != "sha256"}
    return body | {"sha256": content_key(body)}


def load_bundle(folder: Path | str) -> Bundle:
    """Return the bundle in `folder` after checking the hash of every file it lists.

    The hashes find damage and edits; they are no signature, since whoever can write the folder can also reseal it.

    Raises:
        WeldError: If the folder or a listed file is missing, a hash differs, a path leaves the folder, or
            `bundle.json` is of another format.
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
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise WeldError(
            f"bundle {folder}: {DESCRIPTION}: {where + ': ' if where else ''}{first['msg']}; export it again"
        ) from error
    _verify_files(folder, description)
    return Bundle(folder, description, seal)


def _read_description(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise WeldError(f"bundle {folder}: no such folder; make one with `kedro run --pipeline=export`")
    path = folder / DESCRIPTION
    if not path.is_file():
        raise WeldError(f"bundle {folder}: holds no {DESCRIPTION}; is it a bundle, and was it copied whole?")
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
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
    if description.good_class not in description.classes:
        raise WeldError(
            f"bundle {folder}: good class {description.good_class!r} is none of {description.classes}; export it again"
        )
