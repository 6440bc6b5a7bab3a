"""Parameters of the video classifier."""

from typing import Literal

from pydantic import Field

from weld_pipeline.pipelines.params import Params


class TrunkParams(Params):
    """The frozen network that sees the clips."""

    name: str
    """A classifier of torchvision.models.video: r3d_18, mc3_18, r2plus1d_18, s3d, mvit_v1_b, mvit_v2_s, swin3d_t, …"""
    weights: str = Field(min_length=1)
    """`auto`: pretrained ones if they are here or can be had, else random ones with a warning. `random`: random ones.
    A name of `weld weights list`, or a path: these or an error."""
    seed: int = Field(ge=0)
    """Of random weights."""
    folder: str
    """Where pretrained weights lie."""


class ComputeParams(Params):
    """Where and how the trunk runs."""

    precision: Literal["auto", "bf16", "fp32"]
    """`auto`: bf16 where the hardware is built for it and rounding stays small, else fp32."""
    max_rounding: float = Field(gt=0)
    """In `auto`, the largest rounding error of a standardised feature at which bf16 is taken [standard deviations between clips]."""
    n_clips: int = Field(ge=2, le=64)
    """Recordings whose first clip the rounding is measured on."""


class FeatureParams(Params):
    """What of the trunk's output is a feature."""

    source: Literal["embedding", "logits"]
    """Pooled embedding, or the trunk's own logits over its pretraining classes."""
    n_features: int = Field(ge=1)
    """How many of them are kept, the first."""
    batch_size: int = Field(ge=1, le=512)
    """Clips through the trunk at a time."""


class ClassParams(Params):
    """The classes."""

    order: tuple[str, ...]
    """Classes that come first, in this order; others follow by name."""


class _Learning(Params):
    batch_size: int = Field(ge=1)
    """Rows a step."""
    learning_rate: float = Field(gt=0)
    """Of Adam."""
    max_epochs: int = Field(ge=1)
    """Upper end."""
    patience: int = Field(ge=1)
    """Epochs without a lower loss on valid before it stops."""
    seed: int = Field(ge=0)
    """Of initial weights, shuffling and dropout."""


class AutoencoderParams(_Learning):
    """The autoencoder over clip features, for both instances."""

    hidden: int = Field(ge=1)
    """Width between features and latent."""
    latent: int = Field(ge=1)
    """Width of the latent."""
    latent_penalty: float = Field(ge=0)
    """Factor of the squared norm of the latent in the loss."""


class ClassifierParams(_Learning):
    """The classifier of a run's pooled latent."""

    hidden: int = Field(ge=1)
    """Width of the hidden layer."""
    dropout: float = Field(ge=0, lt=1)
    """Share of hidden units dropped in a step."""
    weight_decay: float = Field(ge=0)
    """Of Adam."""


class CalibrationParams(Params):
    """From score to verdict."""

    threshold: float = Field(gt=0, lt=1)
    """The calibrated probability of a defect from which a weld fails."""
