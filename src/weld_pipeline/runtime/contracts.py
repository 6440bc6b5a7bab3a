"""What the graph of a bundle is fed and how its answer is judged: the part of `bundle.json` that differs by kind."""

import math
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, PositiveInt, model_validator

from weld_pipeline.media import tiles


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

    contract: Literal["clips"]
    media: Literal["video"]
    channels: Literal["RGB"]
    window: PositiveInt
    stride: PositiveInt
    gate: GateContract
    latent_size: PositiveInt
    """Length of the graph's state."""


class ViewsInput(Part):
    """What the graph is fed: images at native size, and the views of them, once resized, that the network sees."""

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
    tiling: TilingContract | None
    """How an image is cut before the graph; null: it goes in whole."""

    def boxes(self, height: int, width: int) -> list[tiles.Box]:
        """Return the boxes of an image that are looked at one by one; one that holds all of it without tiling."""
        cut = None if self.tiling is None else tiles.Tiling(self.tiling.tile_px, self.tiling.overlap_px)
        return tiles.image_boxes(height, width, cut)


InputContract = Annotated[ClipsInput | ViewsInput | AnomalyInput, Field(discriminator="contract")]


class AnomalyCalibration(Part):
    """How a detector's score becomes a verdict. Unlike a classifier's, none of it is in the graph."""

    score_threshold: FiniteFloat
    """Score from which the verdict is fail."""
    kind: str = Field(min_length=1)
    """How the threshold was chosen: `f1`, `conformal`, …"""
    promise: str = Field(min_length=1)
    """What is promised of it, and what is not, in words."""
    platt_a: FiniteFloat | None = None
    """Slope of Platt's sigmoid; absent or null where there were no defects to fit it on."""
    platt_b: FiniteFloat | None = None
    """Offset of the same."""
    map_low: FiniteFloat
    """Level of the map up to which an image of it shows nothing."""
    map_threshold: FiniteFloat
    """Level from which a place is marked; the verdict does not follow it."""
    map_high: FiniteFloat
    """Level from which it shows full heat."""

    @model_validator(mode="after")
    def _is_whole(self) -> "AnomalyCalibration":
        if (self.platt_a is None) != (self.platt_b is None):
            raise ValueError("platt_a and platt_b come together: one is null, the other is not")
        if not self.map_low <= self.map_threshold <= self.map_high or self.map_low == self.map_high:
            levels = f"{self.map_low:g}, {self.map_threshold:g}, {self.map_high:g}"
            raise ValueError(f"map_low, map_threshold and map_high do not rise: {levels}")
        return self

    def p_defect(self, score: float) -> float | None:
        """Return Platt's probability of a defect, 1 / (1 + exp(a·score + b)); None where none was fitted."""
        if self.platt_a is None or self.platt_b is None:
            return None
        exponent = self.platt_a * score + self.platt_b
        if exponent > 0:  # so that exp overflows at no score
            return math.exp(-exponent) / (1 + math.exp(-exponent))
        return 1 / (1 + math.exp(exponent))
