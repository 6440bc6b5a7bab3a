"""Parameters of a recipe of `image_classifier`."""

from typing import Literal

from pydantic import Field, model_validator

from weld_pipeline.pipelines.params import Fraction, Params


class ImageTrunkParams(Params):
    """The network that sees the images."""

    name: str
    """Any architecture of timm: resnet50, convnextv2_nano, mobilenetv2_100, tiny_vit_21m_384, … With a tag, as in
    convnextv2_nano.fcmae_ft_in22k_in1k_384, `auto` looks for the weights of that tag."""
    weights: str = Field(min_length=1)
    """`auto`: pretrained ones if they are here or can be had, else random ones with a warning. `random`: random ones.
    A name of `weld weights list`, or a path: these or an error."""
    seed: int = Field(ge=0)
    """Of random weights."""
    folder: str
    """Where pretrained weights lie."""


class ImageParams(Params):
    """What of an image the network sees."""

    resized_px: int = Field(ge=16, le=2048)
    """Side of the square an image is squashed to, and cached at."""
    crop_px: int = Field(ge=16, le=2048)
    """Side of a view of it."""
    grey: bool
    """Whether colour is thrown away."""
    jpeg_scaling: bool
    """Whether large JPEGs are decoded at a half, a quarter or an eighth of their size, which is several times as fast."""
    normalisation: Literal["weights", "train"]
    """Mean and spread as the weights were made with, or of the images of train."""
    views: Literal["centre", "ten"]
    """What predictions are made from: the centre, or ten views that vote softly."""
    n_workers: int = Field(ge=1, le=64)
    """Processes to decode in."""

    @property
    def jpeg_px(self) -> int | None:
        """Return the size that JPEGs are decoded near; None for their own."""
        return self.resized_px if self.jpeg_scaling else None

    @model_validator(mode="after")
    def _view_fits(self) -> "ImageParams":
        if self.crop_px > self.resized_px:
            raise ValueError(f"crop_px {self.crop_px} is larger than resized_px {self.resized_px}; a view lies in it")
        return self


class ImageClassParams(Params):
    """The classes."""

    order: tuple[str, ...]
    """Classes that come first, in this order; others follow by name."""


class HeadParams(Params):
    """What stands on the trunk."""

    kind: Literal["softmax", "arcface", "cosface"]
    """Softmax, or a margin that is there in training and gone in use."""
    scale: float = Field(gt=0)
    """Factor of the cosines of a margin head."""
    margin: float = Field(ge=0)
    """Angle [rad] of `arcface`, cosine of `cosface`."""
    dropout: Fraction
    """Share of the embedding dropped in a step."""


class AugmentationParams(Params):
    """What may happen to an image in training."""

    min_area: float = Field(gt=0, le=1)
    """Smallest share of the view a random crop keeps; 1 keeps it whole."""
    max_stretch: float = Field(ge=1)
    """Largest ratio a side is stretched by against the other."""
    flip_horizontal: Fraction
    """Probability."""
    flip_vertical: Fraction
    """Probability."""
    rotation_deg: float = Field(ge=0, le=180)
    """Largest angle to either side [°]."""
    brightness: Fraction
    """Largest relative change."""
    contrast: Fraction
    """Largest relative change of the distance from the image's own mean."""
    erasing: Fraction
    """Probability that a rectangle is wiped out."""


class MixingParams(Params):
    """How images of a batch are mixed with one another."""

    mixup_alpha: float = Field(ge=0)
    """Of the Beta distribution MixUp draws its share from; 0 never does it."""
    cutmix_alpha: float = Field(ge=0)
    """The same of CutMix; where both are above 0, one of them is drawn for each batch."""
    probability: Fraction
    """Share of batches that are mixed."""


class SyntheticParams(Params):
    """Made images beside real ones, in train alone."""

    ratio: float = Field(ge=0)
    """Made images to one real; taken once there are any, none before. 0 takes none."""
    seed: int = Field(ge=0)
    """Of the draw."""


class TrainingParams(Params):
    """How the network learns."""

    optimizer: Literal["ranger21", "adamw", "sgd"]
    """`sgd` is with Nesterov's momentum."""
    learning_rate: float = Field(gt=0)
    """Of the head, at its highest."""
    trunk_lr_factor: float = Field(ge=0)
    """Of the trunk's rate against the head's."""
    layer_decay: float = Field(gt=0, le=1)
    """Factor of the rate from one layer of the trunk to the one below; 1 for none."""
    weight_decay: float = Field(ge=0)
    """Of weights; biases and norms have none."""
    frozen_stages: int = Field(ge=0)
    """Stages of the trunk, after its stem, that stay as they are; 0 for none, not even the stem."""
    batch_norm: Literal["auto", "train", "freeze"]
    """`freeze` keeps the statistics the trunk came with, right for small sets and for weights with folded norms; `train`
    collects them anew, as random weights need it. `auto`: `train` for random weights, else `freeze`."""
    warmup_epochs: float = Field(ge=0)
    """Over which the rate rises; a cosine brings it down to 0 at the last epoch."""
    max_epochs: int = Field(ge=1)
    """Upper end."""
    patience: int = Field(ge=1)
    """Epochs without a better one before it stops."""
    batch_size: int = Field(ge=1)
    """Images a step."""
    clip_norm: float = Field(ge=0)
    """Largest norm of the gradient; 0 for no limit."""
    ema_decay: float = Field(ge=0, lt=1)
    """Of the moving average of the weights, which is what is validated and kept; 0 for none."""
    balance: Literal["none", "class_weights", "sampling"]
    """Weights in the loss, or as many images of every class an epoch; both from train alone."""
    label_smoothing: float = Field(ge=0, lt=1)
    """Share of the target spread over all classes, for the softmax only."""
    progressive: tuple[tuple[int, float], ...]
    """(side [px], share of the epochs), in order; empty for the full side throughout."""
    monitor: Literal["valid_loss", "valid_accuracy"]
    """What the best epoch is chosen by."""
    precision: Literal["auto", "bf16", "fp32"]
    """`auto`: bf16 on a GPU that is built for it, fp32 on a processor."""
    seed: int = Field(ge=0)
    """Of initial weights, order, and every change of an image."""


class ImageCalibrationParams(Params):
    """From score to verdict."""

    threshold: float = Field(gt=0, lt=1)
    """The calibrated probability of a defect from which a weld fails."""


class LookParams(Params):
    """What is shown for people to look at."""

    n_random: int = Field(ge=1, le=100)
    """Random images of the judged split on the sheet."""
    heat_maps: bool
    """Whether each shows what the network looked at; only a network whose last features are a map can."""
    n_label_errors: int = Field(ge=0, le=200)
    """Suspected label errors shown with images."""
    seed: int = Field(ge=0)
    """Of the choice."""
