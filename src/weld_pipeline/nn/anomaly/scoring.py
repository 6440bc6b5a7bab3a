"""Scores and anomaly maps of prepared images, as pending work for each image."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import content_key
from weld_pipeline.core.items.pending import Item, PendingItems
from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.core.stores import TensorStore
from weld_pipeline.nn.anomaly.detectors import restore_detector
from weld_pipeline.nn.anomaly.preprocess import MapPreprocess
from weld_pipeline.nn.compiled import CompiledModule
from weld_pipeline.nn.device import find_device
from weld_pipeline.nn.state import fingerprint

# Raise it when a code change changes a score; it is part of every content key.
SCORE_VERSION = 1
# Tiles of one image through the network at a time.
_TILES = 8

Scorer = Callable[[Float[Tensor, "B 3 S S"]], tuple[np.ndarray, np.ndarray]]


def pending_scores(
    detector: SavedModel, images: TensorStore, sample_ids: Sequence[str]
) -> PendingItems[str, dict[str, np.ndarray]]:
    """Return the scoring of prepared images as pending work.

    Each image gives `score` [], the highest of its tiles, `tile_scores` [T] and `maps` [T, S, S], all float32.

    Args:
        detector: Saved detector, with the architecture of its preprocessing in its provenance.
    """
    # A map depends on more than tensors: smoothing is an argument, mean and standard deviation belong to the preprocessing.
    network = [fingerprint(restore_detector(detector)), dict(detector.architecture)]
    preprocess, keys = detector.provenance["preprocess"], images.index()
    items = [Item(name, content_key(SCORE_VERSION, network, preprocess, keys[name]), name) for name in sample_ids]
    return PendingItems(_ScorerFactory(detector, images), items, "scoring images")


@dataclass(frozen=True)
class _ScorerFactory:
    detector: SavedModel
    images: TensorStore

    def __call__(self) -> "_ImageScorer":
        preprocess = MapPreprocess(**self.detector.provenance["preprocess"])
        return _ImageScorer(self.images, preprocess, _scorer(restore_detector(self.detector), preprocess.image_px))


@dataclass(frozen=True)
class _ImageScorer:
    images: TensorStore
    preprocess: MapPreprocess
    score: Scorer

    def __call__(self, sample_id: str) -> dict[str, np.ndarray]:
        tiles = torch.from_numpy(self.images.part(sample_id, "image"))
        found = [self.score(self.preprocess.normalise(some)) for some in torch.split(tiles, _TILES)]
        scores, maps = (np.concatenate(parts) for parts in zip(*found, strict=True))
        if not (np.isfinite(scores).all() and np.isfinite(maps).all()):
            raise WeldError(f"image {sample_id}: its score or map is not finite; the detector is broken, fit it again")
        return {"score": np.asarray(scores.max(), np.float32), "tile_scores": scores, "maps": maps}


def _scorer(network: nn.Module, image_px: int) -> Scorer:
    """Return the network ready for use: compiled for the processor, or as it is on the GPU."""
    if find_device() == "cuda":
        network = network.to("cuda")

        @torch.inference_mode()
        def on_gpu(images: Float[Tensor, "B 3 S S"]) -> tuple[np.ndarray, np.ndarray]:
            score, maps = network(images.to("cuda"))
            return score.cpu().numpy(), maps.cpu().numpy()

        return on_gpu
    compiled = CompiledModule(network, torch.zeros(1, 3, image_px, image_px), precision="fp32")

    def on_processor(images: Float[Tensor, "B 3 S S"]) -> tuple[np.ndarray, np.ndarray]:
        score, maps = compiled(images)
        return score, maps

    return on_processor
