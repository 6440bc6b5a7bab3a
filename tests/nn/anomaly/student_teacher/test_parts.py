"""Parts of the student–teacher detector against the paper's tables and plain arithmetic."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from weld_pipeline.core.errors import WeldError
from weld_pipeline.nn.anomaly.student_teacher.batches import StepSampler
from weld_pipeline.nn.anomaly.student_teacher.learner import hardest_mean, recoloured, student_losses
from weld_pipeline.nn.anomaly.student_teacher.model import StudentTeacher
from weld_pipeline.nn.anomaly.student_teacher.pdn import Autoencoder, PatchNetwork, grid_side, pooling_matrix
from weld_pipeline.nn.anomaly.student_teacher.penalty_images import PenaltyImages
from weld_pipeline.nn.anomaly.student_teacher.quantiles import StreamQuantiles

TEACHER = {"kind": "pdn", "size": "small", "n_channels": 6, "mean": [0.5] * 3, "std": [0.25] * 3}


def n_parameters(module):
    return sum(value.numel() for value in module.parameters())


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        # Tables 6 and 7: k² · in · out + out of each convolution.
        ("small", (16 * 3 + 1) * 128 + (16 * 128 + 1) * 256 + (9 * 256 + 1) * 256 + (16 * 256 + 1) * 384),
        (
            "medium",
            (16 * 3 + 1) * 256 + (16 * 256 + 1) * 512 + (512 + 1) * 512 + (9 * 512 + 1) * 512 + (16 * 512 + 1) * 384
            + (384 + 1) * 384,
        ),
    ],
)  # fmt: skip
def test_patch_networks_are_those_of_the_tables(size, expected):
    network = PatchNetwork(size=size, n_channels=384, n_parts=1, padding=False)
    assert n_parameters(network) == expected


@pytest.mark.parametrize("size", ["small", "medium"])
@pytest.mark.parametrize("image_px", [64, 72, 256])
def test_outputs_are_on_a_grid_of_four_px_without_four_cells_at_each_border(size, image_px):
    images = torch.zeros(1, 3, image_px, image_px)
    inner = PatchNetwork(size=size, n_channels=2, n_parts=2, padding=False)(images)
    whole = PatchNetwork(size=size, n_channels=2, n_parts=1, padding=True)(images)
    assert [part.shape for part in inner] == [(1, 2, image_px // 4 - 8, image_px // 4 - 8)] * 2
    assert inner[0].shape[2] == grid_side(image_px)
    assert whole[0].shape == (1, 2, image_px // 4, image_px // 4)


@pytest.mark.parametrize("size", ["small", "medium"])
def test_padding_adds_cells_at_the_border_and_changes_none_within(size):
    whole, inner = (PatchNetwork(size=size, n_channels=2, n_parts=1, padding=padding) for padding in (True, False))
    inner.load_state_dict(whole.state_dict())
    images = torch.randn(1, 3, 96, 96)
    torch.testing.assert_close(whole(images)[0][:, :, 4:-4, 4:-4], inner(images)[0], rtol=1e-4, atol=1e-5)


def test_output_cell_sees_33_px_around_pixel_16_and_4_a_cell():
    network = PatchNetwork(size="small", n_channels=1, n_parts=1, padding=False).double()
    image = torch.rand(1, 3, 128, 128, dtype=torch.float64, requires_grad=True)
    network(image)[0][0, 0, 5, 7].backward()
    rows, columns = (image.grad[0].abs().sum(dim=0) > 0).nonzero().unbind(1)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (20, 52, 28, 60)
    assert (rows.max() - rows.min() + 1, (rows.max() + rows.min()) / 2) == (33, 16 + 4 * 5)


def test_two_parts_are_one_convolution_of_both_widths():
    network = PatchNetwork(size="small", n_channels=3, n_parts=2, padding=False)
    one = nn.Conv2d(256, 6, 4)
    one.load_state_dict(
        {kind: torch.cat([part.state_dict()[kind] for part in network.parts]) for kind in ("weight", "bias")}
    )
    images = torch.randn(1, 3, 64, 64)
    torch.testing.assert_close(torch.cat(network(images), dim=1), one(network.body(images)))


def test_autoencoder_at_256_px_is_that_of_the_table():
    network = Autoencoder(image_px=256, n_channels=384)
    widths = ((3, 32), (32, 32), (32, 64), (64, 64), (64, 64))
    encoder = sum((16 * a + 1) * b for a, b in widths) + (64 * 64 + 1) * 64
    decoder = 6 * (16 * 64 + 1) * 64 + (9 * 64 + 1) * 64 + (9 * 64 + 1) * 384
    assert n_parameters(network) == encoder + decoder
    assert network._sides == [3, 8, 15, 32, 63, 127]
    assert network.encoder(torch.zeros(1, 3, 256, 256)).shape == (1, 64, 1, 1)
    assert network(torch.zeros(1, 3, 256, 256)).shape == (1, 384, 56, 56)


@pytest.mark.parametrize("image_px", [64, 100, 320])
def test_bottleneck_is_64_numbers_at_any_size(image_px):
    network = Autoencoder(image_px=image_px, n_channels=5)
    images = torch.zeros(2, 3, image_px, image_px)
    assert network.encoder(images).shape == (2, 64, 1, 1)
    assert network(images).shape == (2, 5, grid_side(image_px), grid_side(image_px))


@pytest.mark.parametrize(("image_px", "near"), [(32, 64), (60, 64), (130, 128), (257, 256)])
def test_size_that_does_not_go_through_is_refused(image_px, near):
    with pytest.raises(WeldError, match=f"image_px {image_px}: .*from 64 px on; set it to {near}"):
        grid_side(image_px)


def test_pooling_matrix_is_adaptive_average_pooling():
    values = torch.randn(4, 1, 10)
    torch.testing.assert_close(values[:, 0] @ pooling_matrix(10, 7).T, functional.adaptive_avg_pool1d(values, 7)[:, 0])


@pytest.mark.parametrize("n", [7, 1000, 12_345])
def test_hardest_mean_is_that_of_the_values_from_the_quantile_on(n):
    values = torch.from_numpy(np.random.default_rng(n).permutation(n).astype(np.float32)).reshape(1, -1)
    chosen = values[values >= torch.quantile(values, 0.999)]
    torch.testing.assert_close(hardest_mean(values, 0.999), chosen.mean())


def test_losses_are_those_of_the_algorithm():
    """Against the algorithm written out: each image through the whole student by itself."""
    torch.manual_seed(0)
    network = StudentTeacher(image_px=64, size="small", teacher=TEACHER).train()
    network.autoencoder.dropout.eval()
    network.teacher_mean.fill_(0.1)
    network.teacher_std.fill_(0.2)
    images, penalty_images, changed = torch.randn(3, 2, 3, 64, 64)
    found = student_losses(network, images, penalty_images, changed, p_hard=0.9)
    distance = ((network.teacher(images) - 0.1) / 0.2 - network.student(images)[0]) ** 2
    expected = network.autoencoder(changed)
    terms = [
        distance[distance >= torch.quantile(distance, 0.9)].mean(),
        (network.student(penalty_images)[0] ** 2).mean(),
        (((network.teacher(changed) - 0.1) / 0.2 - expected) ** 2).mean(),
        ((expected - network.student(changed)[1]) ** 2).mean(),
    ]
    torch.testing.assert_close(found, torch.stack(terms))
    found.sum().backward()
    assert all(value.grad is None for value in network.teacher.parameters())
    assert all(value.grad is not None for value in [*network.student.parameters(), *network.autoencoder.parameters()])


def test_recolouring_changes_one_thing_by_at_most_a_fifth():
    from torchvision.transforms import functional as vision

    prepared = torch.from_numpy(np.random.default_rng(0).integers(60, 180, (1, 16, 16, 3), dtype=np.uint8))
    image = prepared[0].permute(2, 0, 1)
    kinds = [vision.adjust_brightness, vision.adjust_contrast, vision.adjust_saturation]
    seen = set()
    for seed in range(12):
        generator = np.random.default_rng(seed)
        found = recoloured(prepared, np.random.default_rng(seed))[0].permute(2, 0, 1)
        kind, factor = int(generator.integers(0, 3, 1)[0]), float(generator.uniform(0.8, 1.2, 1)[0])
        # Torchvision weighs grey as 0.2989, 0.587, 0.114, Pillow in 65536ths: 1 apart.
        assert (found.int() - kinds[kind](image, factor).int()).abs().max() <= 1
        seen.add(kind)
    assert seen == {0, 1, 2}


def test_recolouring_takes_grey_images():
    prepared = torch.full((3, 8, 8, 1), 100, dtype=torch.uint8)
    assert recoloured(prepared, np.random.default_rng(0)).shape == prepared.shape


def test_quantiles_of_a_stream_are_those_of_all_values():
    generator = np.random.default_rng(0)
    parts = [generator.gamma(1.0, scale, (50, 40)).astype(np.float32) for scale in (0.01, 1.0, 30.0)]
    stream = StreamQuantiles()
    for part in parts:
        stream.add(part)
    expected = np.quantile(np.concatenate(parts), [0.1, 0.9, 0.995], method="lower")
    np.testing.assert_allclose(stream.at([0.1, 0.9, 0.995]), expected, rtol=2.5e-4)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0])
def test_quantiles_refuse_what_is_no_square(bad):
    with pytest.raises(WeldError, match="cannot be squares"):
        StreamQuantiles().add(np.array([1.0, bad], np.float32))
    with pytest.raises(WeldError, match="no value to take quantiles of"):
        StreamQuantiles().at([0.5])


def test_epochs_of_steps_go_on_where_the_last_one_ended():
    sampler = StepSampler(n_steps=2, batch_size=3)
    assert (len(sampler), list(sampler)) == (2, [[0, 1, 2], [3, 4, 5]])
    sampler.set_epoch(2)
    assert list(sampler) == [[12, 13, 14], [15, 16, 17]]


def test_drawn_images_depend_on_seed_and_place_alone_and_fill_the_levels():
    drawn = PenaltyImages(None, 64, grey=False, seed=3)
    assert np.array_equal(drawn[5], PenaltyImages(None, 64, grey=False, seed=3)[5])
    assert not np.array_equal(drawn[5], drawn[6])
    assert drawn[5].shape == (64, 64, 3)
    pixels = np.stack([drawn[place] for place in range(8)])
    assert pixels.min() < 30
    assert pixels.max() > 225
    assert PenaltyImages(None, 64, grey=True, seed=3)[5].shape == (64, 64, 1)
    assert drawn.describe()["kind"].startswith("drawn")


def test_photographs_come_from_the_folder_some_without_colour(tmp_path):
    from PIL import Image

    colours = np.random.default_rng(0).integers(0, 256, (2, 90, 70, 3), dtype=np.uint8)
    for number, pixels in enumerate(colours):
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    penalty_images = PenaltyImages(tmp_path, 64, grey=False, seed=0)
    found = [penalty_images[place] for place in range(30)]
    n_grey = sum(bool((image == image[..., :1]).all()) for image in found)
    assert 3 <= n_grey <= 16  # of 30 at 0.3: 0.1 % beyond either end
    assert penalty_images.describe()["n"] == 2
    with pytest.raises(WeldError, match="holds no penalty image"):
        PenaltyImages(tmp_path / "none", 64, grey=False, seed=0)[0]
