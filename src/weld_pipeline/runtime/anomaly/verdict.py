"""Anomaly verdict: what a detector says about an image."""

from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.shapes import Float, Float32, UInt8
from weld_pipeline.media.tiles import Box, stitch
from weld_pipeline.runtime.anomaly.regions import Region, find_regions
from weld_pipeline.runtime.timing import ImageTiming
from weld_pipeline.runtime.verdicts import Verdict


@dataclass(frozen=True)
class TileMaps:
    """What the graph says of each tile of an image; an image that goes in whole is one tile.

    Attributes:
        boxes: Where the tiles lie.
        scores: Of each; the image's is the highest.
        levels: Map of each, as the graph gives it.
    """

    boxes: tuple[Box, ...]
    scores: Float32[np.ndarray, " T"]
    levels: Float32[np.ndarray, "T S S"]

    def whole(self, height: int, width: int) -> Float[np.ndarray, "H W"]:
        """Return the map at the size of the image."""
        return stitch(self.levels, self.boxes, height=height, width=width)

    def regions(self, threshold: float, *, height: int, width: int) -> tuple[Region, ...]:
        """Return where the map reaches a threshold.

        The map of an image that went in whole is looked at as the graph gives it, which costs next to nothing.
        """
        if self.levels.max() < threshold:
            return ()
        levels = self.levels[0] if len(self.boxes) == 1 else self.whole(height, width)
        return find_regions(levels, threshold=threshold, height=height, width=width)


@dataclass(frozen=True)
class AnomalyVerdict:
    """Everything said about one image.

    Attributes:
        path: The file as it was given; None for an array.
        sha256: Hash of the file's bytes; None for an array.
        width: Of the upright image [px].
        height: Of the upright image [px].
        verdict: Outcome by the bundle's policy.
        predicted: The good class, or `anomalous`.
        score: Higher is worse; of tiles the highest.
        p_defect: Calibrated probability of a defect [0..1]; None where there were no defects to calibrate with.
        n_tiles: Tiles that were looked at.
        regions: Where the map reaches the bundle's map threshold, the highest peak first: what to look at. The
            verdict follows the score alone, so an image may fail without a region, or pass with one.
        timing: Where the time went.
        tiles: What `anomaly_map` is made of; not in the JSON.
        pixels: The image, to draw the map over; not in the JSON.
        warnings: What is doubtful about its pixel values, each as `code: what; what to do`.
    """

    path: str | None
    sha256: str | None
    width: int
    height: int
    verdict: Verdict
    predicted: str
    score: float
    p_defect: float | None
    n_tiles: int
    regions: tuple[Region, ...]
    timing: ImageTiming
    tiles: TileMaps | None = field(repr=False, compare=False)
    pixels: UInt8[np.ndarray, "H W 3"] | None = field(repr=False, compare=False)
    warnings: tuple[str, ...] = ()

    @cached_property
    def anomaly_map(self) -> Float[np.ndarray, "H W"]:
        """The map at the size of the image; higher is worse.

        Raises:
            WeldError: If the verdict was kept without it.
        """
        if self.tiles is None:
            raise WeldError(f"verdict on {self.path}: it was kept without its map; inspect the image again")
        return self.tiles.whole(self.height, self.width)

    @property
    def n_parts(self) -> int:
        """Number of tiles that were looked at."""
        return self.n_tiles

    def compact(self) -> "AnomalyVerdict":
        """Return a copy of a few hundred bytes, without map and pixels, of which a program can keep any number."""
        return replace(self, tiles=None, pixels=None)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-able values, without the map."""
        fields = asdict(self.compact())
        del fields["tiles"], fields["pixels"]
        return fields
