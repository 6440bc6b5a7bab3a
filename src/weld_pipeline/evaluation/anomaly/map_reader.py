"""Map reader: anomaly maps at the size of their images, with pixels and masks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, UInt8

from weld_pipeline.core.files import inside
from weld_pipeline.core.stores import TensorStore
from weld_pipeline.core.tables import sample_bits
from weld_pipeline.evaluation.anomaly.pixel_metrics import PixelSample
from weld_pipeline.media.image_errors import MAX_PROBED_PIXELS
from weld_pipeline.media.images import read_image
from weld_pipeline.media.masks import read_mask
from weld_pipeline.media.tiles import Tiling, image_boxes, stitch


@dataclass(frozen=True)
class MappedImage:
    """One image with its anomaly map.

    Attributes:
        anomaly_map: Anomaly map of any size; higher is worse.
        mask: True where the defect is; None where there is no mask.
    """

    pixels: UInt8[np.ndarray, "H W 3"]
    anomaly_map: Float[np.ndarray, "h w"]
    mask: Bool[np.ndarray, "H W"] | None


class MapReader:
    """Reads map, mask and pixels of one image at a time.

    Args:
        anomaly_maps: Store of `maps` [T, S, S] of each image.
        tiling: Tiling of long images; None for whole images.
    """

    def __init__(self, anomaly_maps: TensorStore, manifest: pd.DataFrame, root: Path, tiling: Tiling | None) -> None:
        self._maps, self._root, self._tiling = anomaly_maps, root, tiling
        self._sample_bits = sample_bits(manifest)
        self._rows: dict[str, dict[str, Any]] = {
            row["sample_id"]: {str(name): value for name, value in row.items()} for row in manifest.to_dict("records")
        }

    def map(self, sample_id: str) -> Float[np.ndarray, "H W"]:
        """Return the anomaly map at the size of the image; overlapping tiles are blended."""
        height, width = self._size(sample_id)
        boxes = image_boxes(height, width, self._tiling)
        return stitch(self._maps.part(sample_id, "maps"), boxes, height=height, width=width)

    def mask(self, sample_id: str) -> Bool[np.ndarray, "H W"] | None:
        """Return where the defect is; None where there is no mask."""
        path = self._rows[sample_id]["mask_path"]
        if pd.isna(path):
            return None
        height, width = self._size(sample_id)
        return read_mask(inside(self._root, path), height=height, width=width)

    def mapped_image(self, sample_id: str) -> MappedImage:
        """Return pixels, map and mask."""
        path = inside(self._root, self._rows[sample_id]["path"])
        pixels = read_image(path, max_pixels=MAX_PROBED_PIXELS, sample_bits=self._sample_bits)
        return MappedImage(pixels, self.map(sample_id), self.mask(sample_id))

    def pixel_samples(self, sample_ids: Sequence[str]) -> Iterator[PixelSample]:
        """Yield map and mask of some images, one at a time."""
        for name in sample_ids:
            yield PixelSample(name, bool(self._rows[name]["is_defect"]), self.map(name), self.mask(name))

    def _size(self, sample_id: str) -> tuple[int, int]:
        row = self._rows[sample_id]
        return int(row["height"]), int(row["width"])
