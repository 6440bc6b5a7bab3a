"""Logits of cached images, equal to those of the exported graph."""

import copy
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn

from weld_pipeline.core.stores import FolderStore
from weld_pipeline.nn.compiled import CompiledModule
from weld_pipeline.nn.device import find_device
from weld_pipeline.nn.image.classifier import ImageClassifier, soft_vote
from weld_pipeline.nn.training.read_ahead import read_ahead

# Crops in a batch, whatever the number of views.
_CROPS = 64


def predict_logits(
    classifier: ImageClassifier,
    images: FolderStore,
    sample_ids: Sequence[str],
    *,
    views: Int[np.ndarray, "V 3"],
) -> Float[np.ndarray, "N K"]:
    """Return the log of the mean probability over the views of each image, in float32 and in the order of `sample_ids`.

    A thread reads the next images while the network works.

    Args:
        views: Views from `media.views.crop_views`.
    """
    if not len(sample_ids):
        return np.empty((0, classifier.architecture["head"]["n_classes"]), np.float32)
    classify = _engine(classifier)
    where = torch.from_numpy(views)
    n_batch = max(1, _CROPS // len(views))

    def batches() -> Iterator[UInt8[Tensor, "B R R C"]]:
        for first in range(0, len(sample_ids), n_batch):
            yield torch.from_numpy(np.stack([images[name]["image"] for name in sample_ids[first : first + n_batch]]))

    logits = []
    for batch in read_ahead(batches()):
        crops = classifier.preprocess.crop(batch, where).flatten(0, 1)
        logits.append(soft_vote(classify(crops), len(views)).numpy())
    return np.concatenate(logits)


class _FromCrops(nn.Module):
    def __init__(self, classifier: ImageClassifier) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, crops: UInt8[Tensor, "M S S C"]) -> tuple[Float[Tensor, "M K"]]:
        return (self.classifier.classify_crops(crops),)


def _engine(classifier: ImageClassifier) -> Callable[[UInt8[Tensor, "M S S C"]], Float[Tensor, "M K"]]:
    """Return the network ready for use: compiled for the processor, or as it is on the GPU."""
    if find_device() == "cuda":
        network = copy.deepcopy(classifier).to("cuda")

        @torch.inference_mode()
        def on_gpu(crops: UInt8[Tensor, "M S S C"]) -> Float[Tensor, "M K"]:
            return network.classify_crops(crops.to("cuda")).cpu()

        return on_gpu
    px, n_channels = classifier.preprocess.crop_px, classifier.preprocess.n_channels
    example = torch.zeros(1, px, px, n_channels, dtype=torch.uint8)
    compiled = CompiledModule(_FromCrops(classifier), example, precision="fp32")
    return lambda crops: torch.from_numpy(compiled(crops)[0])
