"""From cached images to a trained image classifier."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Int, UInt8
from torch import Tensor
from torch.utils.data import Dataset

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import content_key
from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.core.stores import FolderStore
from weld_pipeline.media.views import crop_views
from weld_pipeline.nn.device import choose_training_compute
from weld_pipeline.nn.image.augment import Augmentation, Mixing
from weld_pipeline.nn.image.classifier import ImageClassifier
from weld_pipeline.nn.image.heads import HeadKind, balanced_class_weights, check_smoothing
from weld_pipeline.nn.image.learner import ImageLearner
from weld_pipeline.nn.image.optimization import ImageSteps
from weld_pipeline.nn.state import load_tensors
from weld_pipeline.nn.training.curves import Curves, curves_of
from weld_pipeline.nn.training.folder import TrainingFolder
from weld_pipeline.nn.training.loop import Trained, in_order, shuffled, train

# Raise it when a change of the code changes what is trained; it is part of every key.
IMAGE_TRAINING_VERSION = 1
_VALID_BATCH = 32


@dataclass(frozen=True)
class LabelledImages:
    """Cached images of one split with their classes.

    Attributes:
        images: All cached images: sample id → {"image": uint8 [R, R, C]}.
        sample_ids: Which of them.
        labels: Class index of each.
    """

    images: FolderStore
    sample_ids: Sequence[str]
    labels: Int[np.ndarray, " n"]

    def digest(self) -> str:
        """Return a digest of the images and their classes, from the keys they were cached under."""
        index = self.images.index()
        return content_key(
            [[name, index[name], int(label)] for name, label in zip(self.sample_ids, self.labels, strict=True)]
        )


class ImageRows(Dataset[tuple[Tensor, Tensor]]):
    """Batches of cached images, read from disk as they are asked for."""

    def __init__(self, images: LabelledImages) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images.sample_ids)

    def __getitem__(self, index: list[int]) -> tuple[UInt8[Tensor, "B R R C"], Int[Tensor, " B"]]:
        images, ids = self.images.images, self.images.sample_ids
        batch = np.stack([images[ids[row]]["image"] for row in index])
        return torch.from_numpy(batch), torch.from_numpy(self.images.labels[index].astype(np.int64))


@dataclass(frozen=True)
class NetworkOptions:
    """What is trained.

    Attributes:
        n_classes: Width of the output.
        head: Softmax or a margin.
        scale: Of a margin head's cosines.
        margin: Angle in radians (`arcface`) or cosine (`cosface`).
        dropout: Share of the embedding dropped in a step.
        resized_px: Side of a cached image.
        crop_px: Side of a view.
        grey: Whether colour is thrown away.
        normalisation: Mean and spread of the `weights` own making, or of the images of `train`.
    """

    n_classes: int
    head: HeadKind
    scale: float
    margin: float
    dropout: float
    resized_px: int
    crop_px: int
    grey: bool
    normalisation: Literal["weights", "train"]


def train_image_classifier(
    learnt: LabelledImages,
    chosen_on: LabelledImages,
    *,
    trunk: SavedModel,
    network: NetworkOptions,
    augmentation: Augmentation,
    mixing: Mixing,
    steps: ImageSteps,
    precision: Literal["auto", "bf16", "fp32"],
    folder: TrainingFolder,
) -> tuple[SavedModel, Curves]:
    """Return an image classifier and what was logged in each epoch.

    Args:
        learnt: Of the train split; class weights, sampling and normalisation come from these alone.
        chosen_on: Of the valid split; the best epoch is chosen on them.
        trunk: Where it begins.
        network: What is trained.
        augmentation: What may happen to an image.
        mixing: Of images with one another.
        steps: How it learns.
        precision: `auto` takes bf16 on a GPU that is built for it.
        folder: For its checkpoints.

    Raises:
        WeldError: If options contradict each other, or images are not of the size they are to be cached at.
    """
    check_smoothing(network.head, steps.label_smoothing)
    architecture = _architecture(learnt, trunk, network)
    compute = choose_training_compute(precision)
    data = {"train": learnt.digest(), "valid": chosen_on.digest(), "trunk": trunk.provenance["fingerprint"]}
    batches = shuffled(
        ImageRows(learnt),
        len(learnt.sample_ids),
        batch_size=steps.batch_size,
        seed=steps.seed,
        balanced=learnt.labels if steps.balance == "sampling" else None,
    )
    weights = None
    if steps.balance == "class_weights":
        weights = balanced_class_weights(torch.from_numpy(learnt.labels.astype(np.int64)), network.n_classes)

    def build() -> ImageLearner:
        classifier = ImageClassifier(**architecture)
        load_tensors(classifier.trunk, trunk.tensors)
        return ImageLearner(
            classifier,
            steps=steps,
            augmentation=augmentation,
            mixing=mixing,
            class_weights=weights,
            centre=_centre(network),
            steps_per_epoch=len(batches),
            precision=compute.precision,
        )

    options = [asdict(part) for part in (steps, augmentation, mixing, compute)]
    trained = train(
        build,
        batches=batches,
        valid_batches=in_order(ImageRows(chosen_on), len(chosen_on.sample_ids), batch_size=_VALID_BATCH),
        plan=steps.plan,
        folder=folder,
        key=content_key(IMAGE_TRAINING_VERSION, data, architecture, options),
        accelerator="auto",
    )
    size = {"n_train": len(learnt.sample_ids), "n_valid": len(chosen_on.sample_ids), "compute": asdict(compute)}
    provenance = data | size | {"weights": trunk.provenance["weights"]}
    return _saved(architecture, trained, steps, provenance), curves_of(trained)


def image_statistics(images: FolderStore, sample_ids: Sequence[str]) -> tuple[list[float], list[float]]:
    """Return mean and standard deviation per RGB channel, on [0, 1], over all pixels of some cached images.

    One image is in memory at a time; levels are counted, so nothing is lost to rounding. Grey stands for all three.

    Raises:
        WeldError: If there is no image, or a channel has one level only.
    """
    counts = np.zeros((0, 0), np.int64)
    for name in sample_ids:
        image = images[name]["image"]
        found = np.stack([np.bincount(image[..., channel].ravel(), minlength=256) for channel in range(image.shape[2])])
        counts = found if not len(counts) else counts + found
    if not len(counts):
        raise WeldError("no image to take mean and spread of; give the train split images")
    levels = np.arange(256) / 255
    share = counts / counts.sum(axis=1, keepdims=True)
    mean = share @ levels
    std = np.sqrt((share * (levels - mean[:, None]) ** 2).sum(axis=1))
    if (std == 0).any():
        raise WeldError(
            f"images of train hold one level only ({mean.tolist()}); look at them, or set normalisation to weights"
        )
    repeat = 3 // len(mean)
    return mean.tolist() * repeat, std.tolist() * repeat


def _architecture(learnt: LabelledImages, trunk: SavedModel, network: NetworkOptions) -> dict[str, Any]:
    expected = (network.resized_px, network.resized_px, 1 if network.grey else 3)
    found = learnt.images[learnt.sample_ids[0]]["image"].shape
    if found != expected:
        raise WeldError(
            f"image {learnt.sample_ids[0]}: cached as {found}, not {expected}; run the pipeline from its cache on"
        )
    if trunk.architecture["crop_px"] != network.crop_px:
        raise WeldError(
            f"trunk was built for {trunk.architecture['crop_px']} px, not {network.crop_px}; run the pipeline from its trunk on"
        )
    if network.normalisation == "train":
        mean, std = image_statistics(learnt.images, learnt.sample_ids)
    else:
        mean, std = trunk.architecture["mean"], trunk.architecture["std"]
    return {
        "trunk": dict(trunk.architecture),
        "head": {
            "kind": network.head,
            "n_classes": network.n_classes,
            "scale": network.scale,
            "margin": network.margin,
        },
        "preprocess": {
            "resized_px": network.resized_px,
            "crop_px": network.crop_px,
            "grey": network.grey,
            "mean": list(mean),
            "std": list(std),
        },
        "dropout": network.dropout,
    }


def _centre(network: NetworkOptions) -> Int[Tensor, "1 3"]:
    return torch.from_numpy(crop_views("centre", resized_px=network.resized_px, crop_px=network.crop_px))


def _saved(architecture: dict[str, Any], trained: Trained, steps: ImageSteps, provenance: dict[str, Any]) -> SavedModel:
    prefix = "ema.module." if steps.ema_decay else "network."
    tensors = {
        name.removeprefix(prefix): value.numpy() for name, value in trained.state.items() if name.startswith(prefix)
    }
    training = trained.summary(steps.plan) | asdict(steps)
    return SavedModel("image_classifier", architecture, tensors, training, provenance)
