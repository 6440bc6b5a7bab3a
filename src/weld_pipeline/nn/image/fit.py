"""Fit of an image classifier on cached images."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import torch

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.files import content_key
from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.media.views import crop_views
from weld_pipeline.nn.device import choose_training_compute
from weld_pipeline.nn.image.augment import Augmentation, Mixing
from weld_pipeline.nn.image.classifier import ImageClassifier
from weld_pipeline.nn.image.heads import HeadKind, balanced_class_weights, check_smoothing
from weld_pipeline.nn.image.labelled_images import ImageRows, LabelledImages, image_statistics
from weld_pipeline.nn.image.learner import ImageLearner
from weld_pipeline.nn.image.optimization import ImageSteps
from weld_pipeline.nn.state import load_tensors
from weld_pipeline.nn.training.batches import in_order, shuffled
from weld_pipeline.nn.training.curves import Curves, curves_of
from weld_pipeline.nn.training.folder import TrainingFolder
from weld_pipeline.nn.training.loop import Trained, train

# Raise it when a code change changes a trained classifier; it is part of every key.
IMAGE_TRAINING_VERSION = 1
_VALID_BATCH = 32


@dataclass(frozen=True)
class NetworkOptions:
    """Network that is trained.

    Attributes:
        scale: Factor of a margin head's cosines.
        margin: Angle in radians (`arcface`) or cosine (`cosface`).
        dropout: Share of the embedding dropped in a step.
        resized_px: Side of a cached image.
        crop_px: Side of a view.
        normalisation: Source of mean and standard deviation: the pretrained `weights`, or the images of `train`.
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
    train_images: LabelledImages,
    valid_images: LabelledImages,
    *,
    trunk: SavedModel,
    network: NetworkOptions,
    augmentation: Augmentation,
    mixing: Mixing,
    steps: ImageSteps,
    precision: Literal["auto", "bf16", "fp32"],
    folder: TrainingFolder,
) -> tuple[SavedModel, Curves]:
    """Return an image classifier and its metrics of each epoch.

    Args:
        train_images: Images of the train split; class weights, sampling and normalisation come from these alone.
        valid_images: Images of the valid split, which the best epoch is chosen on.
        trunk: Trunk with its initial weights.
        precision: Precision of training; see `device.choose_training_compute`.

    Raises:
        WeldError: If options contradict each other, or images were cached at another size.
    """
    check_smoothing(network.head, steps.label_smoothing)
    architecture = _architecture(train_images, trunk, network)
    compute = choose_training_compute(precision)
    data = {"train": train_images.digest(), "valid": valid_images.digest(), "trunk": trunk.provenance["fingerprint"]}
    batches = shuffled(
        ImageRows(train_images),
        len(train_images.sample_ids),
        batch_size=steps.batch_size,
        seed=steps.seed,
        balanced=train_images.labels if steps.balance == "sampling" else None,
    )
    weights = None
    if steps.balance == "class_weights":
        weights = balanced_class_weights(torch.from_numpy(train_images.labels.astype(np.int64)), network.n_classes)

    centre = crop_views("centre", resized_px=network.resized_px, crop_px=network.crop_px)

    def build() -> ImageLearner:
        classifier = ImageClassifier(**architecture)
        load_tensors(classifier.trunk, trunk.tensors)
        return ImageLearner(
            classifier,
            steps=steps,
            augmentation=augmentation,
            mixing=mixing,
            class_weights=weights,
            centre=torch.from_numpy(centre),
            steps_per_epoch=len(batches),
            precision=compute.precision,
        )

    options = [asdict(part) for part in (steps, augmentation, mixing, compute)]
    trained = train(
        build,
        batches=batches,
        valid_batches=in_order(ImageRows(valid_images), len(valid_images.sample_ids), batch_size=_VALID_BATCH),
        plan=steps.plan,
        folder=folder,
        key=content_key(IMAGE_TRAINING_VERSION, data, architecture, options),
        kept="ema.module." if steps.ema_decay else "network.",
        accelerator="auto",
    )
    size = {
        "n_train": len(train_images.sample_ids),
        "n_valid": len(valid_images.sample_ids),
        "compute": asdict(compute),
    }
    provenance = data | size | {"weights": trunk.provenance["weights"]}
    return _saved(architecture, trained, steps, provenance), curves_of(trained)


def _architecture(train_images: LabelledImages, trunk: SavedModel, network: NetworkOptions) -> dict[str, Any]:
    expected = (network.resized_px, network.resized_px, 1 if network.grey else 3)
    found = train_images.images[train_images.sample_ids[0]]["image"].shape
    if found != expected:
        raise WeldError(
            f"image {train_images.sample_ids[0]}: cached as {found}, not {expected}; run the pipeline again from its images on"
        )
    if trunk.architecture["crop_px"] != network.crop_px:
        raise WeldError(
            f"trunk was built for {trunk.architecture['crop_px']} px, not {network.crop_px}; run the pipeline again from `load_trunk` on"
        )
    if network.normalisation == "train":
        mean, std = image_statistics(train_images.images, train_images.sample_ids)
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


def _saved(architecture: dict[str, Any], trained: Trained, steps: ImageSteps, provenance: dict[str, Any]) -> SavedModel:
    training = trained.summary(steps.plan) | asdict(steps)
    return SavedModel("image_classifier", architecture, trained.state, training, provenance)
