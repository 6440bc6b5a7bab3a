"""Margins while training, none after, and weights of classes."""

import math

import pytest
import torch
from torch.nn import functional

from weld_pipeline.core.errors import WeldError
from weld_pipeline.nn.image.heads import Head, balanced_class_weights, check_smoothing, weighted_mean

# Directions of the two classes, and an embedding at 60° to the first and 30° to the second.
WEIGHT = torch.tensor([[2.0, 0.0], [0.0, 5.0]])  # [D, K], of any length
EMBEDDING = 3 * torch.tensor([[math.cos(math.pi / 3), math.sin(math.pi / 3)]])


def head(kind, margin, scale=30.0):
    made = Head(kind=kind, embedding_size=2, n_classes=2, scale=scale, margin=margin)
    if kind != "softmax":
        made.layer.W.data = WEIGHT.clone()
    return made.eval()


@pytest.mark.parametrize(("kind", "margin"), [("arcface", 0.5), ("cosface", 0.35)])
def test_logits_in_use_are_scaled_cosines_without_margin(kind, margin):
    logits = head(kind, margin)(EMBEDDING)
    assert logits[0].tolist() == pytest.approx([30 * 0.5, 30 * math.sqrt(3) / 2], rel=1e-5)


def test_arcface_loss_adds_half_a_radian_to_the_angle_of_the_class():
    wrong = 30 * math.cos(math.pi / 3 + 0.5)
    other = 30 * math.cos(math.pi / 6)
    expected = math.log(math.exp(wrong) + math.exp(other)) - wrong
    losses = head("arcface", 0.5).losses(EMBEDDING, torch.tensor([0]), label_smoothing=0.0)
    assert losses.tolist() == pytest.approx([expected], rel=1e-5)


def test_cosface_loss_takes_the_margin_from_the_cosine_of_the_class():
    right, other = 30 * (math.sqrt(3) / 2 - 0.35), 30 * 0.5
    expected = math.log(math.exp(right) + math.exp(other)) - right
    losses = head("cosface", 0.35).losses(EMBEDDING, torch.tensor([1]), label_smoothing=0.0)
    assert losses.tolist() == pytest.approx([expected], rel=1e-4)


def test_softmax_loss_is_torchs_with_smoothing():
    plain, target = head("softmax", 0.0), torch.tensor([0, 1])
    embedding = torch.cat([EMBEDDING, -EMBEDDING])
    expected = functional.cross_entropy(plain(embedding), target, label_smoothing=0.2)
    losses = plain.losses(embedding, target, label_smoothing=0.2)
    torch.testing.assert_close(weighted_mean(losses, target, None), expected)


def test_embedding_along_its_class_still_has_a_finite_gradient():
    made = head("arcface", 0.5)
    embedding = torch.tensor([[1.0, 0.0]], requires_grad=True)
    made.losses(embedding, torch.tensor([0]), label_smoothing=0.0).sum().backward()
    assert torch.isfinite(embedding.grad).all()
    assert torch.isfinite(made.layer.W.grad).all()


def test_smoothing_before_a_margin_is_refused():
    check_smoothing("softmax", 0.2)
    with pytest.raises(
        WeldError, match=r"head.kind is arcface and training.label_smoothing 0.2: .* set label_smoothing"
    ):
        head("arcface", 0.5).losses(EMBEDDING, torch.tensor([0]), label_smoothing=0.2)


def test_class_weights_by_hand():
    """Six samples of three classes: 6 / (3 · 3), 6 / (3 · 2), 6 / (3 · 1)."""
    weights = balanced_class_weights(torch.tensor([0, 1, 0, 2, 1, 0]), 3)
    assert weights.tolist() == pytest.approx([2 / 3, 1, 2])
    with pytest.raises(WeldError, match="class 1 of 3 has no image in train"):
        balanced_class_weights(torch.tensor([0, 2]), 3)


def test_weighted_mean_is_torchs_weighted_cross_entropy():
    logits, target = torch.tensor([[2.0, 0.0], [1.0, 1.5], [0.0, 3.0]]), torch.tensor([0, 0, 1])
    weights = torch.tensor([0.75, 1.5])
    losses = functional.cross_entropy(logits, target, reduction="none")
    torch.testing.assert_close(
        weighted_mean(losses, target, weights), functional.cross_entropy(logits, target, weight=weights)
    )
