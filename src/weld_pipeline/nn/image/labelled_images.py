"""Labelled images: cached images of a split with their classes, as batches and as statistics."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int, UInt8
from torch import Tensor
from torch.utils.data import Dataset

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import content_key
from weld_pipeline.core.stores import FolderStore


@dataclass(frozen=True)
class LabelledImages:
    """Cached images of one split with their classes.

    Attributes:
        images: All cached images: sample id → {"image": uint8 [R, R, C]}.
        labels: Class index of each image.
    """

    images: FolderStore
    sample_ids: Sequence[str]
    labels: Int[np.ndarray, " n"]

    def digest(self) -> str:
        """Return a digest of the images and their classes, computed from their content keys."""
        index = self.images.index()
        return content_key(
            [[name, index[name], int(label)] for name, label in zip(self.sample_ids, self.labels, strict=True)]
        )


class ImageRows(Dataset[tuple[Tensor, Tensor]]):
    """Batches of cached images, read from disk when needed."""

    def __init__(self, images: LabelledImages) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images.sample_ids)

    def __getitem__(self, index: list[int]) -> tuple[UInt8[Tensor, "B R R C"], Int[Tensor, " B"]]:
        images, ids = self.images.images, self.images.sample_ids
        batch = np.stack([images[ids[row]]["image"] for row in index])
        return torch.from_numpy(batch), torch.from_numpy(self.images.labels[index].astype(np.int64))


def image_statistics(images: FolderStore, sample_ids: Sequence[str]) -> tuple[list[float], list[float]]:
    """Return mean and standard deviation of each RGB channel, on [0, 1], over all pixels of some cached images.

    One image is in memory at a time. Pixel values are counted, so rounding loses nothing. A grey channel stands for all
    three.

    Raises:
        WeldError: If there is no image, or if a channel has a single pixel value.
    """
    counts = np.zeros((0, 0), np.int64)
    for name in sample_ids:
        image = images[name]["image"]
        found = np.stack([np.bincount(image[..., channel].ravel(), minlength=256) for channel in range(image.shape[2])])
        counts = found if not len(counts) else counts + found
    if not len(counts):
        raise WeldError("no image to take mean and standard deviation of; give the train split images")
    values = np.arange(256) / 255
    share = counts / counts.sum(axis=1, keepdims=True)
    mean = share @ values
    std = np.sqrt((share * (values - mean[:, None]) ** 2).sum(axis=1))
    if (std == 0).any():
        raise WeldError(
            f"images of train have a single pixel value ({mean.tolist()}); look at them, or set normalisation to weights"
        )
    repeat = 3 // len(mean)
    return mean.tolist() * repeat, std.tolist() * repeat
