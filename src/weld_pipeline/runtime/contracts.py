"""Contracts: what the graph of a bundle is fed, the part of `bundle.json` that differs by family."""

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, PositiveInt, model_validator

from weld_pipeline.media import tiles
from weld_pipeline.media.clips import ArcGate
from weld_pipeline.media.heatmaps import MapRange


class Part(BaseModel):
    """A part of `bundle.json`."""

    # A newer writer may add keys; what this reader does not know it need not refuse.
    model_config = ConfigDict(frozen=True, extra="allow", protected_namespaces=())


class GateContract(Part):
    """When a frame counts as arc-on; see `media.clips.ArcGate`."""

    min_luma: int = Field(ge=0, le=255)
    min_bright_fraction: float = Field(ge=0, le=1)
    min_clip_fraction: float = Field(ge=0, le=1)


class ClipsInput(Part):
    """What the graph is fed: clips of `window` frames every `stride` frames of the arc-on part, at native size."""

    DOES: ClassVar[str] = "inspects video"

    contract: Literal["clips"]
    media: Literal["video"]
    channels: Literal["RGB"]
    window: PositiveInt
    stride: PositiveInt
    gate: GateContract
    latent_size: PositiveInt
    """Length of the graph's state."""

    @property
    def arc_gate(self) -> ArcGate:
        """The arc rule that the model was trained with."""
        return ArcGate(self.gate.min_luma, self.gate.min_bright_fraction, self.gate.min_clip_fraction)

    def describe(self) -> str:
        """Return the contract in words."""
        return f"{self.window} frames every {self.stride}, arc on, any frame size"


class ViewsInput(Part):
    """What the graph is fed: images at native size, and the views of them, once resized, that the network sees."""

    DOES: ClassVar[str] = "classifies images"

    contract: Literal["views"]
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

    def describe(self) -> str:
        """Return the contract in words."""
        grey = ", made grey" if self.grey else ""
        return f"images of any size{grey}, seen at {self.resized_px} px in views ({self.views}) of {self.crop_px} px"


class TilingContract(Part):
    """How long images are cut; see `media.tiles.tile_boxes`."""

    tile_px: PositiveInt
    """Side of a tile."""
    overlap_px: int = Field(ge=0)
    """What neighbours share at least."""

    @model_validator(mode="after")
    def _advances(self) -> "TilingContract":
        if self.overlap_px >= self.tile_px:
            raise ValueError(f"tiles of {self.tile_px} px cannot overlap by {self.overlap_px} px")
        return self


class AnomalyInput(Part):
    """What the graph is fed: images, or tiles of them, at native size; what it makes of them is told for the reader."""

    DOES: ClassVar[str] = "finds anomalies in images"

    contract: Literal["anomaly_map"]
    media: Literal["image"]
    channels: Literal["RGB"]
    image_px: PositiveInt
    """Side of the square that the graph resizes to, and of the map it gives."""
    grey: bool
    """Whether the graph makes one channel of the three."""
    clahe_clip: FiniteFloat = Field(ge=0)
    """Clip limit of the graph's local equalisation; 0 for none."""
    smoothing: bool
    """Whether the graph smooths images."""
    map_range: MapRange
    """How its maps are coloured."""
    tiling: TilingContract | None
    """How an image is cut before the graph; null: it goes in whole."""

    def describe(self) -> str:
        """Return the contract in words."""
        grey = ", made grey" if self.grey else ""
        cut = self.tiling
        tiled = "" if cut is None else f", in tiles of {cut.tile_px} px that share {cut.overlap_px} px"
        equalised = f", equalised (CLAHE, clip {self.clahe_clip:g})" if self.clahe_clip else ""
        smoothed = ", smoothed" if self.smoothing else ""
        return f"images of any size{grey}{tiled}, seen at {self.image_px} px{equalised}{smoothed}"

    def boxes(self, height: int, width: int) -> list[tiles.Box]:
        """Return the boxes of an image that are looked at one by one; one that holds all of it without tiling."""
        cut = None if self.tiling is None else tiles.Tiling(self.tiling.tile_px, self.tiling.overlap_px)
        return tiles.image_boxes(height, width, cut)


InputContract = Annotated[ClipsInput | ViewsInput | AnomalyInput, Field(discriminator="contract")]
