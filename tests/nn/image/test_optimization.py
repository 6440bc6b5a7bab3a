"""Which parameter learns at which rate."""

import pytest
import torch

from weld_pipeline.nn.image.classifier import ImageClassifier
from weld_pipeline.nn.image.optimization import ImageSteps, make_optimizer, make_schedule, parameter_groups, rate_factor
from weld_pipeline.nn.image.trunk import freeze_stages

STEPS = {
    "optimizer": "sgd",
    "learning_rate": 0.5,
    "trunk_lr_factor": 0.1,
    "layer_decay": 1.0,
    "weight_decay": 0.01,
    "frozen_stages": 0,
    "batch_norm": "train",
    "warmup_epochs": 0.0,
    "max_epochs": 2,
    "patience": 9,
    "batch_size": 8,
    "clip_norm": 0.0,
    "ema_decay": 0.0,
    "balance": "none",
    "label_smoothing": 0.0,
    "progressive": (),
    "monitor": "valid_loss",
    "seed": 0,
}
STATISTICS = {"mean": [0.5] * 3, "std": [0.5] * 3}


def steps(**changes):
    return ImageSteps(**STEPS | changes)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return ImageClassifier(
        trunk={"name": "resnet10t", "crop_px": 32, **STATISTICS},
        head={"kind": "softmax", "n_classes": 3, "scale": 30.0, "margin": 0.0},
        preprocess={"resized_px": 40, "crop_px": 32, "grey": False, **STATISTICS},
        dropout=0.0,
    )


def rates(network, groups):
    """Return name → (rate, weight decay)."""
    names = {parameter: name for name, parameter in network.named_parameters()}
    return {names[p]: (group["lr"], group["weight_decay"]) for group in groups for p in group["params"]}


def test_trunk_moves_a_tenth_of_what_the_head_moves(network):
    """One step of plain gradient descent under equal gradients: the movement is the rate."""
    groups = parameter_groups(network, steps(weight_decay=0.0))
    before = {name: value.detach().clone() for name, value in network.named_parameters()}
    optimizer = torch.optim.SGD(groups)
    for value in network.parameters():
        value.grad = torch.ones_like(value)
    optimizer.step()
    for name, value in network.named_parameters():
        expected = 0.5 if name.startswith("head") else 0.05
        torch.testing.assert_close(before[name] - value, torch.full_like(value, expected), atol=1e-6, rtol=1e-4)


def test_biases_and_norms_are_not_decayed(network):
    found = rates(network, parameter_groups(network, steps()))
    assert found["head.layer.weight"] == (0.5, 0.01)
    assert found["head.layer.bias"] == (0.5, 0.0)
    assert found["trunk.body.layer1.0.conv1.weight"] == (0.05, 0.01)
    assert found["trunk.body.layer1.0.bn1.weight"] == (0.05, 0.0)
    assert len(found) == len(list(network.parameters()))


def test_layer_decay_lowers_the_rate_layer_by_layer(network):
    """Timm counts five layers here: the stem and four blocks; each lower one has half the rate."""
    found = rates(network, parameter_groups(network, steps(layer_decay=0.5, trunk_lr_factor=1.0)))
    by_layer = [found[f"trunk.body.{name}.weight"][0] for name in ("layer4.0.conv1", "layer3.0.conv1", "conv1.0")]
    assert by_layer == pytest.approx([0.5, 0.25, 0.5 / 2**4])


def test_frozen_stages_are_in_no_group(network):
    freeze_stages(network.trunk, 1)
    found = rates(network, parameter_groups(network, steps()))
    assert not [name for name in found if name.startswith(("trunk.body.conv1", "trunk.body.layer1"))]
    assert "trunk.body.layer2.0.conv1.weight" in found


def test_rate_rises_over_the_warm_up_and_ends_at_nothing():
    factor = rate_factor(n_warmup=4, n_steps=12)
    assert [factor(step) for step in range(4)] == [0.25, 0.5, 0.75, 1.0]
    assert factor(8) == pytest.approx(0.5)  # half of the cosine
    assert factor(11) > 0
    assert factor(12) == pytest.approx(0)


@pytest.mark.parametrize("name", ["ranger21", "adamw", "sgd"])
def test_every_optimiser_follows_the_one_schedule(network, name):
    chosen = steps(optimizer=name, warmup_epochs=1.0)
    optimizer = make_optimizer(parameter_groups(network, chosen), chosen)
    schedule = make_schedule(optimizer, chosen, steps_per_epoch=2)
    before = network.head.layer.weight.detach().clone()
    seen = []
    for _ in range(4):
        seen.append(optimizer.param_groups[0]["lr"])
        network.head.layer.weight.grad = torch.randn(before.shape, generator=torch.Generator().manual_seed(1))
        optimizer.step()
        schedule.step()
    assert seen == pytest.approx([0.25, 0.5, 0.5, 0.25])
    assert not torch.equal(before, network.head.layer.weight)
