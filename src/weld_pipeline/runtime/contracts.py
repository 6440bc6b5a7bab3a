"""Contracts: what the graph of a bundle is fed, the part of `bundle.json` that differs by family."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from PIL import __version__ as pillow_version
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, PositiveInt, model_validator

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.shapes import UInt8
from weld_pipeline.media import tiles
from weld_pipeline.media.clips import ArcGate
from weld_pipeline.media.heatmaps import MapRange
from weld_pipeline.media.resize import resize_digest, resize_to_square

# From this factor between the frame rates of a recording and of training on, verdicts bear a warning.
_RATE_FACTOR = 1.25


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
    fps: float | None = Field(default=None, gt=0)
    """Median frame rate of the recordings that the model was trained on [1/s]; null where that is not known."""

    @property
    def arc_gate(self) -> ArcGate:
        """The arc rule that the model was trained with."""
        return ArcGate(self.gate.min_luma, self.gate.min_bright_fraction, self.gate.min_clip_fraction)

    def rate_warnings(self, fps: float | None) -> tuple[str, ...]:
        """Return what to say of a recording at another frame rate than the model's: windows are counted in frames.

        Args:
            fps: Rate of the recording [1/s].
        """
        if fps is None or self.fps is None or 1 / _RATE_FACTOR <= fps / self.fps <= _RATE_FACTOR:
            return ()
        lasts = f"a window of {self.window} frames lasts {self.fps / fps:.2g} times as long as in training"
        return (
            f"rate: recorded at {fps:.3g} frames/s, trained at {self.fps:.3g}: {lasts}; record at the trained rate",
        )

    def describe(self) -> str:
        """Return the contract in words."""
        return f"{self.window} frames every {self.stride}, arc on, any frame size"


class ResizeContract(Part):
    """Who resizes images to squares before the graph; see `media.resize`."""

    library: Literal["pillow"]
    version: str
    """Version that resized the images of training."""
    digest: str
    """Digest of patterns that it resized; see `media.resize.resize_digest`."""


class ImageInput(Part):
    """What the graphs of images have in common."""

    media: Literal["image"]
    channels: Literal["RGB"]
    grey: bool
    """Whether one channel is made of the three."""
    resize: ResizeContract | None
    """What resizes images, and makes them grey, before the graph; null: the graph does it and takes images of any size."""

    sample_bits: int | None = None
    """Bits of 16-bit samples where a file does not say; null: 16. See `media.images.read_image`."""

    def check_resize(self) -> None:
        """Make sure that images are resized here as they were in training.

        Raises:
            WeldError: If the Pillow at work gives other pixels.
        """
        if self.resize is not None and resize_digest() != self.resize.digest:
            raise WeldError(
                f"Pillow {pillow_version} resizes to other pixels than Pillow {self.resize.version}, with which the model "
                f"was made; install pillow=={self.resize.version}, or train and export it again"
            )


class ViewsInput(ImageInput):
    """What the graph is fed: images resized to a square, and the views of them that the network sees."""

    DOES: ClassVar[str] = "classifies images"

    contract: Literal["views"]
    resized_px: PositiveInt
    """Side of the square."""
    crop_px: PositiveInt
    """Side of a view."""
    jpeg_px: PositiveInt | None
    """Size that JPEGs are decoded near, as in training; null: at their own size. See `media.images.read_image`."""
    views: Literal["centre", "ten"]
    """What calibration and numbers were made with, and so what is looked at unless told otherwise."""

    def fed(self, image: UInt8[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "1 h w C"]:
        """Return what the graph is fed of an image."""
        if self.resize is None:
            return image[None]
        return resize_to_square(image, self.resized_px, grey=self.grey)[None]

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


class AnomalyInput(ImageInput):
    """What the graph is fed: images, or tiles of them, resized to a square; what it makes of them is told for the reader."""

    DOES: ClassVar[str] = "finds anomalies in images"

    contract: Literal["anomaly_map"]
    image_px: PositiveInt
    """Side of the square, and of the map that the graph gives."""
    clahe_clip: FiniteFloat = Field(ge=0)
    """Clip limit of the graph's local equalisation; 0 for none."""
    smoothing: bool
    """Whether the graph smooths images."""
    map_range: MapRange
    """How its maps are coloured."""
    tiling: TilingContract | None
    """How an image is cut before it is resized; null: it goes in whole."""

    def fed(self, image: UInt8[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "T h w C"]:
        """Return what the graph is fed of an image, a row for each of its boxes."""
        boxes = self.boxes(*image.shape[:2])
        if self.resize is None:
            return tiles.cut(image, boxes)
        return tiles.tile_squares(image, boxes, self.image_px, grey=self.grey)

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
