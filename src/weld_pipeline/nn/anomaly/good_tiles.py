"""Good tiles of prepared images, counted once and read one at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int, UInt8

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import content_key
from weld_pipeline.core.stores import TensorStore


@dataclass(frozen=True)
class GoodTiles:
    """Tiles of some prepared images that show nothing defective.

    Attributes:
        images: All prepared images: sample id → {"image": uint8 [T, S, S, C], "is_clean": bool [T]}.
        split: Split of these images, for messages.
    """

    images: TensorStore
    sample_ids: Sequence[str]
    split: str

    @cached_property
    def places(self) -> Int[np.ndarray, "N 2"]:
        """Return the image and tile number of each good tile; nothing else is held in memory.

        Raises:
            WeldError: If there is none.
        """
        clean = (self.images.part(name, "is_clean") for name in self.sample_ids)
        found = [(row, tile) for row, of_image in enumerate(clean) for tile in np.flatnonzero(of_image)]
        if not found:
            raise WeldError(
                f"split {self.split} has no good image or tile ({len(self.sample_ids)} images given); detectors are fitted "
                "on good ones alone: give it some, raise its share in split.fractions, or cut smaller tiles"
            )
        return np.array(found, np.int64)

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> UInt8[np.ndarray, "S S C"]:
        row, tile = self.places[index]
        return self.images.part(self.sample_ids[row], "image", int(tile))

    def batches(self, size: int) -> Iterator[UInt8[np.ndarray, "B S S C"]]:
        """Yield all tiles in order, at most `size` a batch."""
        for first in range(0, len(self), size):
            yield np.stack([self[index] for index in range(first, min(first + size, len(self)))])

    def digest(self) -> str:
        """Return a digest of the tiles, computed from the content keys of their images."""
        index = self.images.index()
        return content_key([[name, index[name]] for name in self.sample_ids])

    def check(self, image_px: int, n_channels: int) -> None:
        """Refuse images that were prepared with other settings.

        Raises:
            WeldError: If there is none, or the first is of another shape.
        """
        expected, found = (image_px, image_px, n_channels), self[0].shape
        if found != expected:
            name = self.sample_ids[self.places[0, 0]]
            raise WeldError(
                f"image {name}: prepared as {found}, not {expected}; run the pipeline again from `prepare_images` on"
            )
