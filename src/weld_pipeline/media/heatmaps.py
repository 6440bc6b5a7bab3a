"""Heat maps: colours and contours, drawn over the image they belong to."""

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, FiniteFloat, model_validator

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.shapes import Bool, Float, UInt8

FOUND, TRUTH = (255, 255, 255), (64, 224, 120)  # white where the map is hot, green around the mask
_PX_PER_LINE = 250  # a contour is one pixel wide for each of these in the image's mean side, and at least one
_OPACITY = 0.55  # at full heat; where there is none the image stays as it is
# matplotlib's inferno at every twelfth. It runs from dark to bright, so it reads in grey and to the colour-blind.
_INFERNO = np.array(
    [(0, 0, 4), (17, 10, 48), (50, 10, 94), (87, 16, 110), (120, 28, 109), (154, 40, 101), (188, 55, 84), (216, 76, 62),
     (237, 105, 37), (249, 142, 9), (251, 182, 26), (244, 223, 83), (252, 255, 164)]
)  # fmt: skip
_STOPS = np.linspace(0, 255, len(_INFERNO))
_COLOURS = np.stack([np.interp(np.arange(256), _STOPS, channel) for channel in _INFERNO.T], axis=1).astype(np.float32)


class MapRange(BaseModel):
    """How to colour the maps of one detector alike."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: FiniteFloat
    """Map value up to which the image shows as it is: half the pixels of good images lie there."""
    threshold: FiniteFloat
    """Map value from which a place is marked; few good images have such a place. The verdict does not follow it."""
    high: FiniteFloat
    """Map value from which the colour is full."""

    @model_validator(mode="after")
    def _rises(self) -> "MapRange":
        if not self.low <= self.threshold <= self.high or self.low == self.high:
            raise ValueError(f"low, threshold and high do not rise: {self.low:g}, {self.threshold:g}, {self.high:g}")
        return self


def anomaly_overlay(
    image: UInt8[np.ndarray, "H W 3"],
    anomaly_map: Float[np.ndarray, "h w"],
    *,
    low: float,
    high: float,
    threshold: float | None = None,
    mask: Bool[np.ndarray, "H W"] | None = None,
) -> UInt8[np.ndarray, "H W 3"]:
    """Return the image with its anomaly map in colour over it.

    Args:
        anomaly_map: Higher is worse; brought to the image's size.
        low: Value of the map up to which the image stays as it is.
        high: Value from which the colour is full.
        threshold: Value of the map from which a white contour encloses a region; None draws none.
        mask: Mask that a green contour encloses; None draws none.

    Raises:
        WeldError: If the range is empty, or the map is not finite.
    """
    height, width = image.shape[:2]
    sized = resize_map(anomaly_map, height=height, width=width)
    drawn = heat_overlay(image, heat_of(sized, low=low, high=high))
    line_px = max(1, round((height * width) ** 0.5 / _PX_PER_LINE))  # a long radiograph's lines stay thin
    if mask is not None:
        drawn[outline(mask, line_px=line_px)] = TRUTH
    if threshold is not None:
        drawn[outline(sized >= threshold, line_px=line_px)] = FOUND
    return drawn


def heat_of(anomaly_map: Float[np.ndarray, "H W"], *, low: float, high: float) -> Float[np.ndarray, "H W"]:
    """Return a map as heat on [0, 1]: none at `low`, full at `high`.

    Raises:
        WeldError: If `high` is not above `low`, or the map is not finite.
    """
    if not high > low:
        raise WeldError(f"overlay: the range from {low} to {high} is empty; take it from maps of good images")
    if not np.isfinite(anomaly_map).all():
        raise WeldError("overlay: the anomaly map is not finite; look at the detector that made it")
    return ((np.asarray(anomaly_map, np.float32) - np.float32(low)) / np.float32(high - low)).clip(0, 1)


def outline(inside: Bool[np.ndarray, "H W"], *, line_px: int) -> Bool[np.ndarray, "H W"]:
    """Return the rim of a marked region: its pixels within `line_px` steps of an unmarked one.

    The image's border counts as not marked, so that a region it cuts is closed along it.
    """
    core = inside
    for _ in range(line_px):
        padded = np.pad(core, 1)
        core = core & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return inside & ~core


def resize_mask(mask: Bool[np.ndarray, "H W"], *, height: int, width: int) -> Bool[np.ndarray, "h w"]:
    """Return a mask at another size for show; a pixel is marked if any of its area is, so that small regions stay."""
    share = Image.fromarray(mask.astype(np.float32)).resize((width, height), Image.Resampling.BOX)
    return np.asarray(share) > 0


def heat_overlay(image: UInt8[np.ndarray, "H W 3"], heat: Float[np.ndarray, "h w"]) -> UInt8[np.ndarray, "H W 3"]:
    """Return the image with heat in colour over it, the stronger the more opaque.

    Args:
        heat: On [0, 1]; brought to the image's size.
    """
    sized = resize_map(heat, height=image.shape[0], width=image.shape[1]).clip(0, 1)
    opacity = _OPACITY * sized[:, :, None]
    return np.round(image * (1 - opacity) + heat_colours(sized) * opacity).astype(np.uint8)


def heat_colours(heat: Float[np.ndarray, "H W"]) -> UInt8[np.ndarray, "H W 3"]:
    """Return heat on [0, 1] in colour: black over violet and orange to light yellow."""
    return np.round(_COLOURS[np.round(heat.clip(0, 1) * 255).astype(np.uint8)]).astype(np.uint8)


def resize_map(values: Float[np.ndarray, "h w"], *, height: int, width: int) -> Float[np.ndarray, "H W"]:
    """Return a map at another size, as float32: bilinear between pixel centres, averaged where it becomes smaller."""
    image = Image.fromarray(np.ascontiguousarray(values, dtype=np.float32))
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
