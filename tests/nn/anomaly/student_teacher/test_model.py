"""Student–teacher detector: training, resume, export, teachers and the collapse check."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.saved_model import read_model, write_model
from weld_pipeline.core.stores import TensorStore
from weld_pipeline.nn.anomaly.good_tiles import GoodTiles
from weld_pipeline.nn.anomaly.preprocess import MapPreprocess
from weld_pipeline.nn.anomaly.student_teacher import distill as distilling
from weld_pipeline.nn.anomaly.student_teacher import fit as student_fitting
from weld_pipeline.nn.anomaly.student_teacher import pdn
from weld_pipeline.nn.anomaly.student_teacher.collapse_check import check_student
from weld_pipeline.nn.anomaly.student_teacher.distill import distill_teacher
from weld_pipeline.nn.anomaly.student_teacher.find_teacher import choose_teacher, read_patch_teacher
from weld_pipeline.nn.anomaly.student_teacher.fit import fit_student_teacher
from weld_pipeline.nn.anomaly.student_teacher.last_layer import least_squares_layer
from weld_pipeline.nn.anomaly.student_teacher.learner import StudentLearner, StudentSteps
from weld_pipeline.nn.anomaly.student_teacher.model import StudentTeacher, restore_student_teacher
from weld_pipeline.nn.anomaly.student_teacher.pdn import PatchNetwork
from weld_pipeline.nn.anomaly.student_teacher.penalty_images import PenaltyImages
from weld_pipeline.nn.anomaly.student_teacher.statistics import autoencoder_error, channel_statistics, map_quantiles
from weld_pipeline.nn.anomaly.student_teacher.teacher import (
    SliceTeacher,
    restore_teacher,
    save_teacher,
)
from weld_pipeline.nn.anomaly.trunk import load_map_trunk, save_map_trunk
from weld_pipeline.nn.state import tensors_of
from weld_pipeline.nn.training.folder import TrainingFolder

PX = 64
STEPS = StudentSteps(
    n_steps=8, batch_size=1, learning_rate=1e-3, weight_decay=1e-5, p_hard=0.99, steps_per_epoch=3, seed=0
)


@pytest.fixture(scope="module", autouse=True)
def narrow_networks():
    """An eighth of the published width: what is tested here is how networks are fitted, and a step takes a fiftieth."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pdn, "WIDTHS", {"small": (16, 32), "medium": (32, 64)})
        yield


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """On images this small, threads wait for one another longer than they work."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


@pytest.fixture(scope="module")
def trunk(tmp_path_factory):
    loaded, record = load_map_trunk(
        "resnet18",
        layers=("layer1", "layer2"),
        image_px=PX,
        weights="random",
        seed=0,
        folder=tmp_path_factory.mktemp("w"),
    )
    return save_map_trunk(loaded, record)


@pytest.fixture(scope="module")
def teacher(trunk):
    return choose_teacher(
        "slices", trunk=trunk, size="small", weights="auto", folder=Path("/nonexistent"), n_channels=8
    )


@pytest.fixture(scope="module")
def preprocess(trunk):
    return MapPreprocess(
        image_px=PX,
        grey=False,
        clahe_clip=0.0,
        smoothing=False,
        mean=trunk.architecture["mean"],
        std=trunk.architecture["std"],
    )


def seam(generator):
    """A bright band with ripples on a dark plate."""
    down, right = np.mgrid[:PX, :PX]
    band = np.exp(-(((down - 32 - generator.normal(0, 1)) / 10) ** 2))
    pixels = (
        60 + 110 * band * (1 + 0.2 * np.sin(right / 3 + generator.uniform(0, 6))) + generator.normal(0, 4, (PX, PX))
    )
    return np.repeat(np.clip(pixels, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Seven images; p6 has two tiles, of which the first is defective."""
    store, generator = TensorStore(tmp_path_factory.mktemp("images")), np.random.default_rng(0)
    for index in range(6):
        store.write(f"p{index}", "k", {"image": seam(generator)[None], "is_clean": np.array([True])})
    tiles = np.stack([np.full((PX, PX, 3), 7, np.uint8), seam(generator)])
    store.write("p6", "k", {"image": tiles, "is_clean": np.array([False, True])})
    store.commit({f"p{index}": "k" for index in range(7)})
    return store


def tiles(images, first, last, split="train"):
    return GoodTiles(images, [f"p{index}" for index in range(first, last)], split)


@pytest.fixture(scope="module")
def fit(images, teacher, preprocess):
    def run(folder, **changes):
        arguments = {
            "teacher": teacher,
            "size": "small",
            "preprocess": preprocess,
            "penalty_images": PenaltyImages(None, PX, grey=False, seed=0),
            "steps": STEPS,
            "folder": TrainingFolder(folder),
        }
        arguments |= changes
        train_tiles = arguments.pop("train_tiles", tiles(images, 0, 4))
        valid_tiles = arguments.pop("valid_tiles", tiles(images, 4, 7, "valid"))
        return fit_student_teacher(train_tiles, valid_tiles, **arguments)

    return run


@pytest.fixture(scope="module")
def fitted(fit, tmp_path_factory):
    return fit(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def long_fitted(fit, tmp_path_factory):
    return fit(tmp_path_factory.mktemp("long"), steps=replace(STEPS, n_steps=60, steps_per_epoch=60))[0]


class Killed(BaseException):
    """Stands for the signal nobody can catch."""


def test_killed_training_resumes_to_the_same_bytes(fit, fitted, tmp_path, monkeypatch):
    class KilledLearner(StudentLearner):
        def on_train_batch_end(self, *rest):
            if self.global_step == 5:
                raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(student_fitting, "StudentLearner", KilledLearner)
        with pytest.raises(Killed):
            fit(tmp_path / "t")
    model, curves = fit(tmp_path / "t")
    assert curves == fitted[1]
    for name, each in (("a", model), ("b", fitted[0])):
        write_model(tmp_path / name, each)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_another_seed_gives_another_student(fit, fitted, tmp_path):
    model, _ = fit(tmp_path / "t", steps=replace(STEPS, seed=1))
    assert not np.array_equal(model.tensors["student.body.0.weight"], fitted[0].tensors["student.body.0.weight"])


def test_model_records_what_it_was_fitted_on(fitted, teacher, preprocess):
    model, curves = fitted
    assert set(curves) == {
        "train_loss", "train_hard", "train_penalty", "train_autoencoder", "train_student_autoencoder", "valid_loss",
    }  # fmt: skip
    assert [len(values) for values in curves.values()] == [3] * 6
    assert model.family == "student_teacher"
    assert model.provenance["teacher"] == teacher.provenance["fingerprint"]
    assert model.provenance["preprocess"] == preprocess.architecture
    assert model.provenance["penalty"]["kind"].startswith("drawn")
    assert (model.provenance["n_train"], model.provenance["n_valid"]) == (4, 3)
    assert model.training["epochs"] == 3


def test_teacher_stays_and_student_moves(fitted, teacher, fit, tmp_path):
    for name, value in teacher.tensors.items():
        assert np.array_equal(fitted[0].tensors[f"teacher.{name}"], value)


def test_training_lowers_the_loss_on_valid(fit, tmp_path):
    _, curves = fit(tmp_path, steps=replace(STEPS, n_steps=40, steps_per_epoch=10))
    assert curves["valid_loss"][-1] < 0.8 * curves["valid_loss"][0]


def test_statistics_are_those_of_all_places(teacher, preprocess, images):
    batch = preprocess.normalise(torch.from_numpy(np.stack([tiles(images, 0, 4)[index] for index in range(4)])))
    network = restore_teacher(teacher)
    mean, std = channel_statistics(network, iter(batch.split(3)))
    output = network(batch).double()
    torch.testing.assert_close(mean, output.mean(dim=(0, 2, 3)).float()[:, None, None])
    expected = output.std(dim=(0, 2, 3), correction=0).float()[:, None, None]
    torch.testing.assert_close(std, expected, rtol=1e-4, atol=1e-6)


def test_channel_that_never_moves_is_not_divided_by(teacher):
    network = restore_teacher(teacher)
    _, std = channel_statistics(network, iter([torch.zeros(1, 3, PX, PX)] * 2))
    assert std.isfinite().all()
    assert (std > 0).all()


def test_quantiles_of_valid_become_zero_and_a_tenth(fitted, images, preprocess):
    network = restore_student_teacher(fitted[0])
    valid = tiles(images, 4, 7)
    batch = preprocess.normalise(torch.from_numpy(np.stack([valid[index] for index in range(3)])))
    with torch.inference_mode():
        local, overall = network.raw_maps(batch)
        for place, maps in enumerate((local, overall)):
            expected = np.quantile(maps.numpy(), [0.9, 0.995], method="lower")
            np.testing.assert_allclose(network.quantiles[place], expected, rtol=1e-3)
        (low, high), (other_low, other_high) = network.quantiles
        scaled = (0.1 * (local - low) / (high - low) + 0.1 * (overall - other_low) / (other_high - other_low)) / 2
        score, maps = with_autoencoder(network)(batch)
    torch.testing.assert_close(maps, scaled, rtol=1e-4, atol=1e-5)
    assert torch.equal(score, maps.amax(dim=(1, 2)))


def with_autoencoder(network, *, uses=True):
    """Return the same network, its final map with or without the autoencoder's."""
    other = StudentTeacher(**network.architecture | {"uses_autoencoder": uses})
    other.load_state_dict(network.state_dict())
    return other.eval()


@pytest.mark.parametrize(("left", "is_used"), [(0.9, True), (0.901, False)])
def test_autoencoder_that_explains_too_little_is_left_out(fit, tmp_path, monkeypatch, left, is_used):
    monkeypatch.setattr(student_fitting, "autoencoder_error", lambda *_: left)
    model, _ = fit(tmp_path)
    assert model.training["autoencoder_error_over_variance"] == left
    assert restore_student_teacher(model).uses_autoencoder == is_used


def test_final_map_without_the_autoencoder_is_the_students(fitted, images, preprocess):
    network = with_autoencoder(restore_student_teacher(fitted[0]), uses=False)
    valid = tiles(images, 4, 7)
    batch = preprocess.normalise(torch.from_numpy(np.stack([valid[index] for index in range(3)])))
    with torch.inference_mode():
        local, overall = network.raw_maps(batch)
        low, high = network.quantiles[0]
        network.autoencoder = None  # it is not even run
        score, maps = network(batch)
    torch.testing.assert_close(maps, 0.1 * (local - low) / (high - low), rtol=1e-4, atol=1e-5)
    assert torch.equal(score, maps.amax(dim=(1, 2)))
    torch.testing.assert_close(maps, network.combined(local, overall))


class Always(nn.Module):
    """Gives the same output for every image."""

    def __init__(self, values):
        super().__init__()
        self.values = values

    def forward(self, batch):
        return self.values.expand(len(batch), -1, -1, -1)


def test_autoencoders_error_is_in_units_of_its_targets_variance(fitted, images, preprocess):
    network = restore_student_teacher(fitted[0])
    valid = tiles(images, 4, 7)
    batch = preprocess.normalise(torch.from_numpy(np.stack([valid[index] for index in range(3)])))
    with torch.inference_mode():
        targets = network.targets(batch)
        variance = targets.var(dim=(0, 2, 3), correction=0).mean()
        expected = (network.autoencoder(batch) - targets).square().mean() / variance
    assert autoencoder_error(network, iter(batch.split(2))) == pytest.approx(float(expected), rel=1e-4)
    assert fitted[0].training["autoencoder_error_over_variance"] == pytest.approx(float(expected), rel=1e-3)
    network.autoencoder = Always(targets.mean(dim=(0, 2, 3), keepdim=True))
    assert autoencoder_error(network, iter([batch])) == pytest.approx(1)


def test_teacher_with_a_constant_output_is_refused(fitted):
    network = restore_student_teacher(fitted[0])
    network.targets = lambda batch: torch.ones(len(batch), 8, 8, 8)
    network.autoencoder = Always(torch.ones(1, 8, 8, 8))
    with pytest.raises(WeldError, match="its output is the same at all places of all images of valid"):
        autoencoder_error(network, iter([torch.zeros(1, 3, PX, PX)]))


def test_saved_and_exported_detectors_agree(fitted, tmp_path):
    write_model(tmp_path / "m", fitted[0])
    network = restore_student_teacher(read_model(tmp_path / "m"))
    program = torch.onnx.export(
        network,
        (torch.randn(2, 3, PX, PX),),
        dynamo=True,
        input_names=["batch"],
        output_names=["score", "anomaly_map"],
        opset_version=18,
        dynamic_shapes=({0: torch.export.Dim("B")},),
        verbose=False,
    )
    session = onnxruntime.InferenceSession(program.model_proto.SerializeToString())
    for n in (1, 3):
        batch = torch.randn(n, 3, PX, PX, generator=torch.Generator().manual_seed(n))
        with torch.inference_mode():
            expected = restore_student_teacher(fitted[0])(batch)
        for ours, theirs in zip(expected, session.run(None, {"batch": batch.numpy()}), strict=True):
            np.testing.assert_allclose(theirs, ours.numpy(), rtol=1e-3, atol=1e-3)


def test_defective_tiles_are_neither_read_nor_counted(images):
    found = tiles(images, 5, 7)
    assert len(found) == 2
    assert found[1].min() > 7


@pytest.mark.parametrize("name", ["train_tiles", "valid_tiles"])
def test_no_good_image_is_refused(fit, images, tmp_path, name):
    with pytest.raises(WeldError, match=r"split \w+ has no good image or tile \(0 images given\)"):
        fit(tmp_path, **{name: tiles(images, 0, 0)})


def test_images_prepared_or_normalised_otherwise_are_refused(fit, teacher, preprocess, tmp_path):
    grey = MapPreprocess(**preprocess.architecture | {"grey": True})
    with pytest.raises(WeldError, match=r"image p0: prepared as \(64, 64, 3\), not \(64, 64, 1\)"):
        fit(tmp_path, preprocess=grey)
    other = MapPreprocess(**preprocess.architecture | {"mean": [0.0, 0.0, 0.0]})
    with pytest.raises(WeldError, match="take the statistics from the teacher"):
        fit(tmp_path, preprocess=other)
    larger = MapPreprocess(**preprocess.architecture | {"image_px": 96})
    with pytest.raises(WeldError, match="teacher was built for 64 px, not 96"):
        fit(tmp_path, preprocess=larger)
    small = MapPreprocess(**preprocess.architecture | {"image_px": 32})
    with pytest.raises(WeldError, match="image_px 32"):
        fit(tmp_path, preprocess=small)


def test_loss_that_is_no_number_is_refused(fit, tmp_path):
    with pytest.raises(WeldError, match=r"valid_loss is (nan|inf) in epoch 1; lower the learning rate"):
        fit(tmp_path, steps=replace(STEPS, learning_rate=1e25))


def test_teacher_that_gives_no_numbers_is_refused(fit, teacher, tmp_path):
    name = next(name for name in teacher.tensors if name.endswith("conv1.weight"))
    broken = replace(teacher, tensors={**teacher.tensors, name: np.full_like(teacher.tensors[name], np.nan)})
    with pytest.raises(WeldError, match="teacher: its output is no number"):
        fit(tmp_path, teacher=broken)


def test_slices_are_the_maps_of_the_layers_averaged_over_channels(trunk):
    """Against resizing first and pooling the concatenated channels afterwards, as the paper describes its aggregation."""
    network = SliceTeacher(trunk=trunk.architecture, n_channels=8)
    batch = torch.randn(1, 3, PX, PX)
    maps = [nn.functional.interpolate(each, (16, 16), mode="bilinear") for each in network.trunk(batch)]
    whole = torch.cat(maps, dim=1)  # 64 + 128 channels
    pooled = (
        nn.functional.adaptive_avg_pool1d(whole.flatten(2).transpose(1, 2), 8).transpose(1, 2).unflatten(2, (16, 16))
    )
    expected = nn.functional.avg_pool2d(pooled, 3, 1, 1)[:, :, 4:-4, 4:-4]
    torch.testing.assert_close(network(batch), expected, rtol=1e-4, atol=1e-4)


def test_few_channels_are_not_repeated(trunk):
    assert SliceTeacher(trunk=trunk.architecture, n_channels=384).n_channels == 64 + 128


def standardised(network, train, valid):
    mean, std = channel_statistics(network, iter([train]))
    return (network(valid) - mean) / std


@pytest.fixture(scope="module")
def distil(teacher, images, preprocess):
    def run(folder, **changes):
        arguments = {
            "size": "small",
            "preprocess": preprocess,
            "penalty_images": PenaltyImages(None, PX, grey=False, seed=0),
            "steps": replace(STEPS, n_steps=60, steps_per_epoch=20),
            "refit_images": 0,
            "folder": TrainingFolder(folder),
        }
        return distill_teacher(teacher, tiles(images, 0, 4), tiles(images, 4, 7), **arguments | changes)

    return run


@pytest.fixture(scope="module")
def distance_from_trunk(teacher, images, preprocess):
    """Give the mean squared difference on valid, and that of a constant output."""

    def measure(model):
        train, valid = (
            preprocess.normalise(torch.from_numpy(next(tiles(images, *ends).batches(9)))) for ends in ((0, 4), (4, 7))
        )
        targets, found = (standardised(restore_teacher(each), train, valid) for each in (teacher, model))
        return (found - targets).square().mean(), targets.square().mean()

    return measure


def test_distilled_teacher_comes_closer_to_the_trunk_and_can_teach(distil, distance_from_trunk, fit, tmp_path):
    model, curves = distil(tmp_path / "d")
    assert list(curves) == ["valid_loss"]
    assert "valid_error" not in model.provenance["distilled"]
    found, constant = distance_from_trunk(model)
    assert found < 0.7 * constant
    # Its file is read again like any file of tensors.
    write_model(tmp_path / "pdn.safetensors", model)
    again = read_patch_teacher(tmp_path / "pdn.safetensors", size="small", n_channels=8)
    assert all(np.array_equal(again.tensors[name], value) for name, value in model.tensors.items())
    student, _ = fit(tmp_path / "s", teacher=model)
    assert student.architecture["teacher"]["kind"] == "pdn"


def test_last_layer_by_least_squares_brings_few_steps_closer(distil, distance_from_trunk, tmp_path):
    few = replace(STEPS, n_steps=10, steps_per_epoch=5)
    model, _ = distil(tmp_path / "a", steps=few, refit_images=16)
    errors = model.provenance["distilled"]["valid_error"]
    assert errors["by_least_squares"] < 0.8 * errors["by_steps"]
    by_steps, _ = distil(tmp_path / "b", steps=few)
    (closer, _), (farther, _) = (distance_from_trunk(each) for each in (model, by_steps))
    assert closer < 0.8 * farther
    for name, value in model.tensors.items():
        assert np.array_equal(value, by_steps.tensors[name]) == ("parts" not in name)
    again, _ = distil(tmp_path / "c", steps=few, refit_images=16)
    assert all(np.array_equal(again.tensors[name], value) for name, value in model.tensors.items())


def test_least_squares_that_come_no_closer_are_left(distil, tmp_path, monkeypatch):
    def spoilt(network, examples, *, seed):
        (part,) = network.parts
        return torch.full_like(part.weight, 9.0), torch.full_like(part.bias, 9.0)

    monkeypatch.setattr(distilling, "least_squares_layer", spoilt)
    model, _ = distil(tmp_path / "a", refit_images=4)
    by_steps, _ = distil(tmp_path / "b")
    assert all(np.array_equal(by_steps.tensors[name], value) for name, value in model.tensors.items())


@pytest.mark.parametrize("size", ["small", "medium"])
def test_least_squares_find_the_layer_that_made_the_targets(size):
    torch.manual_seed(0)
    network, solution = (PatchNetwork(size=size, n_channels=2, n_parts=1, padding=True) for _ in range(2))
    solution.body.load_state_dict(network.body.state_dict())
    batch = torch.randn(24, 3, PX, PX)
    with torch.inference_mode():
        examples = [(batch, solution(batch)[0]) for batch in batch.split(2)]
        weight, bias = least_squares_layer(network, iter(examples), seed=0)
        network.parts[0].load_state_dict({"weight": weight, "bias": bias})
        for batch, targets in examples[:2]:
            left = (network(batch)[0] - targets).square().mean() / targets.var()
            assert left < 0.02


def check(network, images, preprocess, **changes):
    return check_student(network, tiles(images, 4, 7, "valid"), preprocess=preprocess, seed=0, **changes)


def test_trained_student_is_not_called_collapsed(long_fitted, images, preprocess):
    found = check(restore_student_teacher(long_fitted), images, preprocess)
    assert not found["is_collapsed"], found["reasons"]
    assert found["reasons"] == []
    assert found["pixel_auroc"] > 0.6
    assert 0 < found["error_over_variance"] < 1
    assert (found["n_images"], found["n_blemished"]) == (3, 12)


def test_student_with_a_constant_output_is_called_collapsed(long_fitted, images, preprocess):
    network = restore_student_teacher(long_fitted)
    for part in network.student.parts:
        part.weight.data.zero_()
        part.bias.data.fill_(0.5)
    found = check(network, images, preprocess)
    assert found["is_collapsed"]
    assert found["error_over_variance"] >= 1
    assert any("error_over_variance" in reason for reason in found["reasons"])


class Everything(nn.Module):
    """A student that equals its teacher wherever it looks; its second part equals the autoencoder."""

    def __init__(self, network):
        super().__init__()
        self.network = [network]

    def forward(self, batch):
        return [self.network[0].targets(batch), self.network[0].autoencoder(batch)]


def test_student_that_imitates_everything_is_called_collapsed(long_fitted, images, preprocess):
    network = restore_student_teacher(long_fitted)
    network.student = Everything(network)
    found = check(network, images, preprocess)
    assert found["is_collapsed"]
    assert (found["image_auroc"], found["pixel_auroc"], found["error_over_variance"]) == (0.5, 0.5, 0.0)
    assert found["map_std"] < 1e-7  # rounding, not the same on every processor
    assert len(found["reasons"]) == 3


def test_student_that_gives_no_numbers_is_called_collapsed(long_fitted, images, preprocess):
    network = restore_student_teacher(long_fitted)
    network.student.parts[0].bias.data.fill_(torch.nan)
    found = check(network, images, preprocess)
    assert found["is_collapsed"]
    assert found["image_auroc"] is None
    assert len(found["reasons"]) == 4


def test_check_without_images_is_refused(long_fitted, images, preprocess):
    network = restore_student_teacher(long_fitted)
    with pytest.raises(WeldError, match="split valid has no good image"):
        check_student(network, tiles(images, 0, 0, "valid"), preprocess=preprocess, seed=0)
    with pytest.raises(WeldError, match="set both to 1 or more"):
        check(network, images, preprocess, n_blemishes=0)


def test_student_with_a_constant_map_is_refused_when_it_is_fitted(long_fitted, preprocess):
    network = restore_student_teacher(long_fitted)
    network.student = Everything(network)
    with pytest.raises(WeldError, match="student's map of valid is 0 nearly everywhere"):
        map_quantiles(network, iter([torch.randn(1, 3, PX, PX)]))


def test_teacher_is_saved_with_its_weights(teacher):
    again = save_teacher(restore_teacher(teacher), weights=teacher.provenance["weights"])
    assert again.provenance == teacher.provenance
    assert tensors_of(restore_teacher(again)).keys() == teacher.tensors.keys()
