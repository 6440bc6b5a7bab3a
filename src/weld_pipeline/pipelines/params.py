"""Parameters that several stages share."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Fraction = Annotated[float, Field(ge=0, le=1)]
Split = Literal["train", "valid", "calib", "test"]


class Params(BaseModel):
    """Parameters of a node: frozen, and a key that is not known stops the run."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class GateParams(Params):
    """When the arc is on."""

    min_luma: int = Field(ge=0, le=255)
    """Green value from which a pixel is bright."""
    min_bright_fraction: Fraction
    """Share of bright pixels from which the arc is on."""
    min_clip_fraction: Fraction
    """Share of arc-on frames from which a clip is seen."""


class WindowParams(Params):
    """Which clips are seen, in training and in use alike."""

    window: int = Field(ge=1, le=256)
    """Length of a clip [frames]."""
    stride: int = Field(ge=1, le=1024)
    """Distance between starts of clips [frames]."""
    gate: GateParams
    """Arc rule."""


class TilingParams(Params):
    """How long images, such as radiographs of whole seams, are cut; the maps of the tiles are stitched."""

    tile_px: int = Field(ge=16, le=8192)
    """Side of a tile [px of the image]."""
    overlap_px: int = Field(ge=0)
    """Overlap of neighbours, at least [px]."""

    @model_validator(mode="after")
    def _tiles_advance(self) -> "TilingParams":
        if self.overlap_px >= self.tile_px:
            raise ValueError(
                f"overlap_px {self.overlap_px} is no less than tile_px {self.tile_px}; tiles would not advance"
            )
        return self


class EvaluationParams(Params):
    """How predictions are judged; the same for every family."""

    split: Split
    """Split whose rows are judged. Test is looked at once."""
    level: float = Field(gt=0, lt=1)
    """Level of the intervals."""
    n_resamples: int = Field(ge=100)
    """Draws of sessions behind each interval."""
    seed: int = Field(ge=0)
    """Seed of the draws."""
    min_sessions: int = Field(ge=1)
    """Sessions below which an interval is marked as one not to rely on."""
    min_samples: int = Field(ge=1)
    """Samples below which it is marked so."""
    n_bins: int = Field(ge=2)
    """Bins of the reliability plot."""
    aupro_max_fpr: Literal["auto"] | Annotated[float, Field(gt=0, le=1)]
    """False-positive rate up to which a detector's per-region overlap is integrated; `auto`: as the benchmark of the
    layout has it, 0.05 for mvtec_ad2 and 0.3 for others."""
    n_mistakes: int = Field(ge=0)
    """Mistakes shown with images."""
    n_frames: int = Field(ge=1)
    """Frames of a recording side by side in such an image."""

    def measuring(self) -> dict[str, Any]:
        """Return the arguments of `evaluation.estimates.Protocol`: all but what is chosen and shown."""
        return self.model_dump(exclude={"split", "aupro_max_fpr", "n_mistakes", "n_frames"})
