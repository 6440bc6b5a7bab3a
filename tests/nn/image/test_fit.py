"""Training on cached images: what must not move does not, what must repeat does, and it learns."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.nn.image.test_optimization import STEPS
from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.saved_model import write_model
from weld_pipeline.core.stores import TensorStore
from weld_pipeline.media.views import crop_views
from weld_pipeline.nn.image import fit as image_fitting
from weld_pipeline.nn.image.augment import Augmentation, Mixed, Mixing
from weld_pipeline.nn.image.classifier import restore_image_classifier
from weld_pipeline.nn.image.fit import NetworkOptions, train_image_classifier
from weld_pipeline.nn.image.labelled_images import LabelledImages, image_statistics
from weld_pipeline.nn.image.learner import ImageLearner
from weld_pipeline.nn.image.optimization import ImageSteps
from weld_pipeline.nn.image.predict import predict_logits
from weld_pipeline.nn.image.trunk import load_image_trunk, save_image_trunk
from weld_pipeline.nn.training.folder import TrainingFolder

LABELS = np.arange(20) % 3


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """On images this small, threads wait for one another longer than they work."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


AUGMENTATION = Augmentation(
    min_area=0.7,
    max_stretch=1.1,
    flip_horizontal=0.5,
    flip_vertical=0.0,
    rotation_deg=5.0,
    brightness=0.1,
    contrast=0.1,
    erasing=0.1,
)
MIXING = Mixing(mixup_alpha=0.4, cutmix_alpha=1.0, probability=0.5)
NETWORK = NetworkOptions(
    n_classes=3,
    head="arcface",
    scale=10.0,
    margin=0.3,
    dropout=0.2,
    resized_px=40,
    crop_px=32,
    grey=False,
    normalisation="weights",
)
LEARN = ImageSteps(
    **STEPS
    | {
        "optimizer": "ranger21",  # the one with the most to remember
        "learning_rate": 1e-2,
        "trunk_lr_factor": 0.3,
        "max_epochs": 3,
        "ema_decay": 0.5,
        "clip_norm": 1.0,
        "frozen_stages": 1,
        "warmup_epochs": 1.0,
        "progressive": ((24, 0.4), (32, 0.6)),
    }
)


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """The class is the brightest channel."""
    store, rng = TensorStore(tmp_path_factory.mktemp("images")), np.random.default_rng(0)
    for index, label in enumerate(LABELS):
        image = rng.integers(0, 100, (40, 40, 3), dtype=np.uint8)
        image[..., label] += 120
        store.write(f"p{index}", f"k{index}", {"image": image})
    store.commit({f"p{index}": f"k{index}" for index in range(20)})
    return store


@pytest.fixture(scope="module")
def trunk(tmp_path_factory):
    return save_image_trunk(
        *load_image_trunk(
            "test_efficientnet", crop_px=32, weights="random", seed=0, folder=tmp_path_factory.mktemp("w")
        )
    )


def split(images, first, last):
    return LabelledImages(images, [f"p{index}" for index in range(first, last)], LABELS[first:last])


def fit(images, trunk, folder, *, steps=LEARN, network=NETWORK, mixing=MIXING, precision="fp32"):
    return train_image_classifier(
        split(images, 0, 14),
        split(images, 14, 20),
        trunk=trunk,
        network=network,
        augmentation=AUGMENTATION,
        mixing=mixing,
        steps=steps,
        precision=precision,
        folder=TrainingFolder(folder),
    )


def assert_same(one, other):
    assert one[1] == other[1]
    assert {name: value.tobytes() for name, value in one[0].tensors.items()} == {
        name: value.tobytes() for name, value in other[0].tensors.items()
    }


@pytest.fixture(scope="module")
def whole(images, trunk, tmp_path_factory):
    return fit(images, trunk, tmp_path_factory.mktemp("whole"))


def test_one_seed_gives_the_same_file_twice(images, trunk, whole, tmp_path):
    again = fit(images, trunk, tmp_path / "t")
    assert_same(again, whole)
    write_model(tmp_path / "a", whole[0])
    write_model(tmp_path / "b", again[0])
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert fit(images, trunk, tmp_path / "u", steps=replace(LEARN, seed=1))[1] != whole[1]


class Killed(BaseException):
    """Stands for the signal nobody can catch."""


def test_killed_training_resumes_to_the_same_bytes(images, trunk, whole, tmp_path, monkeypatch):
    class KilledLearner(ImageLearner):
        def on_train_batch_end(self, *rest):
            super().on_train_batch_end(*rest)
            if self.current_epoch == 1:
                raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(image_fitting, "ImageLearner", KilledLearner)
        with pytest.raises(Killed):
            fit(images, trunk, tmp_path)
    assert_same(fit(images, trunk, tmp_path), whole)


def test_model_says_how_it_was_trained_and_on_what(whole, images, trunk):
    model, curves = whole
    assert set(curves) == {"train_loss", "train_accuracy", "valid_loss", "valid_accuracy", "lr"}
    assert model.training["criterion"] == "min valid_loss"
    assert model.training["metrics"]["valid_loss"] == min(curves["valid_loss"])
    assert model.provenance["weights"]["name"] == "test_efficientnet.random"
    assert model.provenance["train"] == split(images, 0, 14).digest()
    assert model.architecture["preprocess"]["mean"] == trunk.architecture["mean"]


def test_frozen_stages_do_not_move_nor_their_batch_norms(whole, trunk):
    moved = {
        name
        for name, value in trunk.tensors.items()
        if not np.array_equal(whole[0].tensors[f"trunk.{name}"], value) and "num_batches" not in name
    }
    assert not [name for name in moved if name.startswith(("body.conv_stem", "body.bn1", "body.blocks.0"))]
    assert {"body.blocks.1.0.bn1.running_mean", "body.conv_head.weight"} <= moved


def learner(trunk, **changes):
    options = {"steps": LEARN, "class_weights": None, "precision": "fp32"} | changes
    torch.manual_seed(0)
    network = image_fitting.ImageClassifier(
        trunk=trunk.architecture,
        head={"kind": "arcface", "n_classes": 3, "scale": 10.0, "margin": 0.3},
        preprocess={"resized_px": 40, "crop_px": 32, "grey": False, "mean": [0.5] * 3, "std": [0.5] * 3},
        dropout=0.0,
    )
    centre = torch.from_numpy(crop_views("centre", resized_px=40, crop_px=32))
    return ImageLearner(
        network, augmentation=AUGMENTATION, mixing=Mixing(0.4, 1.0, 1.0), centre=centre, steps_per_epoch=2, **options
    )


def test_frozen_batch_norms_keep_their_statistics_and_learn(images, trunk, tmp_path):
    model, _ = fit(images, trunk, tmp_path, steps=replace(LEARN, batch_norm="freeze", max_epochs=1, progressive=()))
    for name, value in trunk.tensors.items():
        if "running" in name:
            assert np.array_equal(model.tensors[f"trunk.{name}"], value)
    name = "body.blocks.1.0.bn1.weight"
    assert not np.array_equal(model.tensors[f"trunk.{name}"], trunk.tensors[name])


def test_loss_of_a_mixed_batch_is_the_shared_sum_of_both_classes(trunk):
    """With class weights: each of the two losses is the weighted mean over its own targets."""
    made = learner(trunk, class_weights=torch.tensor([1.0, 2.0, 4.0]))
    embedding = torch.randn(4, made.network.trunk.embedding_size, generator=torch.Generator().manual_seed(0))
    first, second = torch.tensor([0, 1, 2, 0]), torch.tensor([2, 0, 1, 1])
    loss = made._mixed_loss(embedding, Mixed(torch.zeros(4, 3, 8, 8), first, second, 0.3))
    head = made.network.head
    of_first, of_second = (head.losses(embedding, target, label_smoothing=0.0) for target in (first, second))
    weighted_first = (of_first * torch.tensor([1.0, 2, 4, 1])).sum() / 8
    weighted_second = (of_second * torch.tensor([4.0, 1, 2, 2])).sum() / 9
    torch.testing.assert_close(loss, 0.3 * weighted_first + 0.7 * weighted_second)


def test_moving_average_by_hand(trunk):
    """After its first step a copy; then decays 1 - 2^(-2/3) = 0.370 and, capped, 0.5: warm-up of timm."""
    made = learner(trunk)
    weight, average = made.network.head.layer.W, made.ema.module.head.layer.W
    for step, value in enumerate((1.0, 2.0, 4.0), start=1):
        weight.data.fill_(value)
        made.ema.update(made.network, step=step)
    second = 0.370039 * 1 + 0.629961 * 2
    expected = 0.5 * second + 0.5 * 4
    torch.testing.assert_close(average.data, torch.full_like(average, expected), atol=1e-4, rtol=0)
    assert made.judged is made.ema.module


def test_best_epoch_of_the_average_is_what_is_saved(whole, images):
    model, curves = whole
    logits = predict_logits(
        restore_image_classifier(model),
        images,
        [f"p{index}" for index in range(14, 20)],
        views=crop_views("centre", resized_px=40, crop_px=32),
    )
    loss = -logits[np.arange(6), LABELS[14:]].mean()
    assert loss == pytest.approx(min(curves["valid_loss"]), rel=1e-3)


def test_it_learns_what_can_be_seen(images, trunk, tmp_path):
    steps = replace(
        LEARN,
        optimizer="adamw",
        max_epochs=8,
        frozen_stages=0,
        trunk_lr_factor=1.0,
        progressive=(),
        ema_decay=0.0,
        balance="sampling",
    )
    network = replace(NETWORK, head="softmax", dropout=0.0, normalisation="train")
    model, curves = fit(images, trunk, tmp_path, steps=steps, network=network, mixing=Mixing(0.0, 0.0, 0.0))
    assert max(curves["valid_accuracy"]) > 0.8
    mean, _ = image_statistics(images, split(images, 0, 14).sample_ids)
    assert model.architecture["preprocess"]["mean"] == mean


def test_bf16_keeps_the_weight_of_a_margin_in_float32(images, trunk, tmp_path):
    steps = replace(LEARN, max_epochs=1, progressive=())
    model, _ = fit(images, trunk, tmp_path, steps=steps, precision="bf16")
    assert model.tensors["head.layer.W"].dtype == np.float32
    rounded = torch.from_numpy(model.tensors["head.layer.W"]).bfloat16().float().numpy()
    assert not np.array_equal(rounded, model.tensors["head.layer.W"])


def test_statistics_are_those_of_all_pixels_of_train_alone(images):
    ids = ["p0", "p4"]
    stack = np.stack([images[name]["image"] for name in ids]) / 255
    mean, std = image_statistics(images, ids)
    assert mean == pytest.approx(stack.mean(axis=(0, 1, 2)))
    assert std == pytest.approx(stack.std(axis=(0, 1, 2)))


def test_statistics_of_grey_images_stand_for_three_channels(tmp_path):
    store = TensorStore(tmp_path)
    store.write("a", "k", {"image": np.array([[[0], [255]]], dtype=np.uint8)})
    store.commit({"a": "k"})
    assert image_statistics(store, ["a"]) == ([0.5] * 3, [0.5] * 3)
    with pytest.raises(WeldError, match="no image to take mean and standard deviation of"):
        image_statistics(store, [])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"network": replace(NETWORK, resized_px=48)}, r"image p0: cached as \(40, 40, 3\), not \(48, 48, 3\)"),
        ({"network": replace(NETWORK, crop_px=24)}, "trunk was built for 32 px, not 24"),
        ({"steps": replace(LEARN, label_smoothing=0.1)}, "head.kind is arcface and training.label_smoothing 0.1"),
        ({"steps": replace(LEARN, frozen_stages=99)}, "training.frozen_stages is 99"),
        ({"steps": replace(LEARN, progressive=((16, 1.0),))}, "training.progressive ends at 16 px"),
    ],
)
def test_what_does_not_fit_is_refused(images, trunk, tmp_path, change, message):
    with pytest.raises(WeldError, match=message):
        fit(images, trunk, tmp_path, **change)


def test_other_labels_are_other_data(images):
    part = split(images, 0, 5)
    assert part.digest() == split(images, 0, 5).digest()
    assert part.digest() != replace(part, labels=np.zeros(5, np.int64)).digest()
