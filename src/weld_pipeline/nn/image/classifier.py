"""Image classifier: trunk and head, with the preprocessing of decoded images."""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.nn.image.heads import Head
from weld_pipeline.nn.image.preprocess import ImagePreprocess
from weld_pipeline.nn.image.trunk import ImageTrunk
from weld_pipeline.nn.state import load_tensors


class ImageClassifier(nn.Module):
    """Trunk and head, and the preprocessing they were trained with."""

    def __init__(
        self, *, trunk: Mapping[str, Any], head: Mapping[str, Any], preprocess: Mapping[str, Any], dropout: float
    ) -> None:
        """Build the network with the libraries' random weights.

        Args:
            trunk: `ImageTrunk.architecture`.
            head: `Head.architecture` without `embedding_size`, which comes from the trunk.
            preprocess: `ImagePreprocess.architecture`.
            dropout: Share of the embedding dropped in a step of training.
        """
        super().__init__()
        self.architecture: dict[str, Any] = {
            "trunk": dict(trunk),
            "head": dict(head),
            "preprocess": dict(preprocess),
            "dropout": dropout,
        }
        self.trunk = ImageTrunk(**trunk)
        self.dropout = nn.Dropout(dropout)
        self.head = Head(embedding_size=self.trunk.embedding_size, **head)
        self.preprocess = ImagePreprocess(**preprocess)

    def forward(self, images: Float[Tensor, "B 3 h w"]) -> Float[Tensor, "B K"]:
        """Return logits of normalised images."""
        return self.head(self.embed(images))

    def embed(self, images: Float[Tensor, "B 3 h w"]) -> Float[Tensor, "B D"]:
        """Return the embedding, the input of the head."""
        return self.dropout(self.trunk(images))

    def classify_crops(self, crops: UInt8[Tensor, "M S S C"]) -> Float[Tensor, "M K"]:
        """Return logits of crops of resized images."""
        return self(self.preprocess.normalise(crops))


def soft_vote(logits: Float[Tensor, "NV K"], n_views: int | torch.SymInt) -> Float[Tensor, "N K"]:
    """Return the log of the mean probability over the views of each image; for one view the log-softmax.

    Args:
        logits: Logits of all views, the views of one image together.
        n_views: Views of an image, at least 1; a symbol while a graph is exported.
    """
    log_probability = torch.log_softmax(logits, dim=-1).reshape(-1, n_views, logits.shape[-1])
    n_seen = torch.ones_like(log_probability[:, :, :1]).sum(dim=1)  # a tensor also while a graph is exported
    return torch.logsumexp(log_probability, dim=1) - torch.log(n_seen)


def restore_image_classifier(model: SavedModel) -> ImageClassifier:
    """Return the classifier a model file holds, frozen and in evaluation mode."""
    classifier = ImageClassifier(**model.architecture)
    load_tensors(classifier, model.tensors)
    return classifier.eval().requires_grad_(requires_grad=False)
