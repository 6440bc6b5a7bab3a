"""Training of an image classifier from files, against a plain timm loop: the same network, size, batch and epochs.

The peer is what timm's `train.py` comes to on a processor: a Dataset that decodes with Pillow and transforms with
`create_transform` in every epoch, a DataLoader with a worker a core, AdamW, cross-entropy, float32, valid after each
epoch. Ours fills its cache of resized images within the measured time, so its first epoch costs what it costs.
Network, side and batch are those of the recipe `tig_al5083`; the frames have the 1280 px of the real recordings. Crop,
flip, brightness and contrast vary alike in both.
"""

import os
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import timm
import torch
from PIL import Image
from timm.data import create_transform
from timm.optim import create_optimizer_v2  # type: ignore[attr-defined]
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from benchmarks._drawn import CLASSES, Frame, draw_frames
from benchmarks.common import Row, in_turns, main, row, thread_counts
from weld_pipeline.core.files import sha256_file
from weld_pipeline.core.items.map import map_items
from weld_pipeline.core.stores import TensorStore
from weld_pipeline.nn.image.augment import Augmentation, Mixing
from weld_pipeline.nn.image.cache import ImageFile, pending_images
from weld_pipeline.nn.image.fit import NetworkOptions, train_image_classifier
from weld_pipeline.nn.image.labelled_images import LabelledImages
from weld_pipeline.nn.image.optimization import ImageSteps
from weld_pipeline.nn.image.trunk import load_image_trunk, save_image_trunk
from weld_pipeline.nn.training.folder import TrainingFolder

NETWORK, SIDE, BATCH = "mobilenetv2_100", 128, 16
AUGMENTATION = Augmentation(
    min_area=0.5,
    max_stretch=1.2,
    flip_horizontal=0.5,
    flip_vertical=0.0,
    rotation_deg=0.0,
    brightness=0.3,
    contrast=0.3,
    erasing=0.0,
)
_RATE, _DECAY = 1e-3, 0.02
_FRAME_WIDTH = 1280
_N_VALID = 32


def compare(quick: bool) -> Sequence[Row]:
    """Return rows of trained images a second: ours in float32 as the peer's, and in bf16."""
    n_epochs, repeats = (2, 1) if quick else (3, 3)
    with tempfile.TemporaryDirectory() as name:
        frames = draw_frames(Path(name), n_per_session=5 if quick else 9, width=_FRAME_WIDTH)
        learnt, chosen_on = frames[_N_VALID : len(frames) // BATCH * BATCH], frames[:_N_VALID]
        _ours(learnt[:BATCH], chosen_on, n_epochs=1, precision="bf16")  # warm
        return [
            each
            for n_threads in thread_counts()
            for each in _compare(learnt, chosen_on, n_epochs=n_epochs, n_threads=n_threads, repeats=repeats)
        ]


def _compare(
    learnt: Sequence[Frame], chosen_on: Sequence[Frame], *, n_epochs: int, n_threads: int, repeats: int
) -> list[Row]:
    torch.set_num_threads(n_threads)
    plain_s, exact_s, rounded_s = in_turns(
        lambda: _peer(learnt, chosen_on, n_epochs=n_epochs),
        lambda: _ours(learnt, chosen_on, n_epochs=n_epochs, precision="fp32"),
        lambda: _ours(learnt, chosen_on, n_epochs=n_epochs, precision="bf16"),
        repeats=repeats,
    )
    n_seen = len(learnt) * n_epochs
    return [
        row(
            f"{n_epochs} epochs of {len(learnt)} files, {n_threads} thread(s), {what}",
            ours=n_seen / statistics.median(seconds),
            peer=n_seen / statistics.median(plain_s),
            unit="images/s",
            target=1.0,
            better="higher",
        )
        for what, seconds in (("fp32", exact_s), ("bf16 against fp32", rounded_s))
    ]


def _ours(
    learnt: Sequence[Frame], chosen_on: Sequence[Frame], *, n_epochs: int, precision: Literal["fp32", "bf16"]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        images = _cached([*learnt, *chosen_on], folder / "images")
        trunk = save_image_trunk(*load_image_trunk(NETWORK, crop_px=SIDE, weights="random", seed=0, folder=folder))
        train_image_classifier(
            _labelled(images, learnt),
            _labelled(images, chosen_on),
            trunk=trunk,
            network=NetworkOptions(
                n_classes=len(CLASSES),
                head="softmax",
                scale=1.0,
                margin=0.0,
                dropout=0.0,
                resized_px=SIDE,
                crop_px=SIDE,
                grey=False,
                normalisation="weights",
            ),
            augmentation=AUGMENTATION,
            mixing=Mixing(mixup_alpha=0.0, cutmix_alpha=0.0, probability=0.0),
            steps=_steps(n_epochs),
            precision=precision,
            folder=TrainingFolder(folder / "training"),
        )


def _cached(frames: Sequence[Frame], folder: Path) -> TensorStore:
    files = [ImageFile(each.path.stem, each.path.parent, each.path.name, sha256_file(each.path)) for each in frames]
    pending = pending_images(files, resized_px=SIDE, grey=False, n_workers=1)
    store = TensorStore(folder)
    map_items(pending, store)
    store.commit({item.id: item.key for item in pending.items})
    return store


def _labelled(images: TensorStore, frames: Sequence[Frame]) -> LabelledImages:
    return LabelledImages(images, [each.path.stem for each in frames], np.array([each.label for each in frames]))


def _steps(n_epochs: int) -> ImageSteps:
    return ImageSteps(
        optimizer="adamw",
        learning_rate=_RATE,
        trunk_lr_factor=1.0,
        layer_decay=1.0,
        weight_decay=_DECAY,
        frozen_stages=0,
        batch_norm="train",
        warmup_epochs=0.0,
        max_epochs=n_epochs,
        patience=n_epochs,
        batch_size=BATCH,
        clip_norm=0.0,
        ema_decay=0.0,
        balance="none",
        label_smoothing=0.0,
        progressive=(),
        monitor="valid_loss",
        seed=0,
    )


class _Files(Dataset[tuple[Tensor, int]]):
    def __init__(self, frames: Sequence[Frame], *, is_training: bool) -> None:
        self.frames = frames
        stretch = AUGMENTATION.max_stretch
        self.transform = create_transform(
            SIDE,
            is_training=is_training,
            scale=(AUGMENTATION.min_area, 1.0),
            ratio=(1 / stretch, stretch),
            hflip=AUGMENTATION.flip_horizontal,
            color_jitter=(AUGMENTATION.brightness, AUGMENTATION.contrast, 0.0),
            crop_pct=1.0,
        )

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        frame = self.frames[index]
        return self.transform(Image.open(frame.path).convert("RGB")), frame.label


def _peer(learnt: Sequence[Frame], chosen_on: Sequence[Frame], *, n_epochs: int) -> None:
    torch.manual_seed(0)
    workers = {"num_workers": os.cpu_count() or 1, "persistent_workers": True}
    batches = DataLoader(_Files(learnt, is_training=True), BATCH, shuffle=True, **workers)
    valid_batches = DataLoader(_Files(chosen_on, is_training=False), BATCH, **workers)
    model = timm.create_model(NETWORK, pretrained=False, num_classes=len(CLASSES))
    optimizer = create_optimizer_v2(model, opt="adamw", lr=_RATE, weight_decay=_DECAY)
    for _ in range(n_epochs):
        model.train()
        for images, target in batches:
            loss = functional.cross_entropy(model(images), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        _validate(model, valid_batches)


def _validate(model: nn.Module, batches: DataLoader[tuple[Tensor, Tensor]]) -> float:
    model.eval()
    n_right = 0
    with torch.inference_mode():
        for images, target in batches:
            n_right += int((model(images).argmax(dim=1) == target).sum())
    return n_right / len(batches.dataset)  # type: ignore[arg-type]


if __name__ == "__main__":
    main(__doc__.splitlines()[0] if __doc__ else "", compare)
