"""Parameters of a detector of `anomaly_detector`."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from weld_pipeline.pipelines.params import Fraction, Params


class MapTrunkParams(Params):
    """The network whose feature maps are looked at; it is never trained here."""

    name: str
    """Any architecture of timm, perhaps with a tag: wide_resnet50_2, tf_efficientnet_lite0, vit_small_patch14_dinov2, …"""
    layers: tuple[str, ...] = Field(min_length=1)
    """Names of its modules whose maps are taken: layer2, blocks.4, stages.1, norm, … As one word, for the command line:
    layer2+layer3."""
    weights: str = Field(min_length=1)
    """`auto`: pretrained ones if they are here or can be had, else random ones with a warning. `random`: random ones.
    A name of `weld weights list`, or a path: these or an error."""
    seed: int = Field(ge=0)
    """Of random weights."""
    folder: str
    """Where pretrained weights lie."""

    @field_validator("layers", mode="before")
    @classmethod
    def _layers_may_be_one_word(cls, value: object) -> object:
        return value.split("+") if isinstance(value, str) else value


class MapImageParams(Params):
    """What of an image, or of a tile of it, a detector sees."""

    image_px: int = Field(ge=16, le=2048)
    """Side of the square that an image is resized to."""
    grey: bool
    """Whether colour is thrown away."""
    clahe_clip: float = Field(ge=0, le=100)
    """Clip limit of the contrast-limited adaptive histogram equalisation; 0 for none."""
    smoothing: bool
    """Whether a 3×3 Gaussian follows."""
    batch_size: int = Field(ge=1)
    """Images that go through the network at a time in fitting."""
    n_workers: int = Field(ge=1, le=64)
    """Processes to decode in."""


class PatchCoreParams(Params):
    """What PatchCore remembers."""

    coreset_size: int | None = Field(ge=1)
    """Patches kept; null for `coreset_ratio` of all."""
    coreset_ratio: float | None = Field(gt=0, le=1)
    """Share of patches kept, where `coreset_size` is null."""
    n_neighbours: int = Field(ge=1)
    """Patches of the memory whose nearness re-weights the score of an image."""
    map_sigma_px: float = Field(ge=0)
    """Standard deviation of the Gaussian that smooths maps [px of the resized image]."""
    budget_mb: int = Field(ge=16)
    """Memory for patches while fitting [MB], however many images there are; beyond it a coreset of coresets is taken."""
    projected_dims: int = Field(ge=2)
    """Dimensions of the random projection the coreset is chosen in; distances at use are exact."""
    seed: int = Field(ge=0)
    """Of projection and first patch."""

    @model_validator(mode="after")
    def _one_size_is_named(self) -> "PatchCoreParams":
        if (self.coreset_size is None) == (self.coreset_ratio is None):
            raise ValueError("name either coreset_size or coreset_ratio, and set the other to null")
        return self


class ReferenceParams(Params):
    """What the reference detector remembers."""

    position: Literal["aligned", "free"]
    """`aligned`: a mean for each position, for parts that always lie alike. `free`: one for all positions."""
    scale: Literal["none", "variance", "covariance"]
    """Unit of distances: the features' own, each dimension's standard deviation, or Mahalanobis (`free` only)."""
    shrinkage: Fraction
    """Share of the mean variance mixed into every variance; small sets need more."""
    map_sigma_px: float = Field(ge=0)
    """Standard deviation of the Gaussian that smooths maps [px of the resized image]."""


class ThresholdParams(Params):
    """From score to verdict; chosen on calib, never on test."""

    kind: Literal["auto", "f1", "conformal"]
    """`f1`: the best F1 on calib, which needs defects there. `conformal`: from good images alone, at a promised rate of
    false rejects. `auto`: f1 where calib holds ten images of each kind, else conformal."""
    false_reject_rate: float = Field(gt=0, lt=1)
    """Share of good images that may be rejected, for `conformal`. n good images can promise no less than 1/(n+1);
    `auto` then promises that much and says so, `conformal` stops."""


class AnomalyLookParams(Params):
    """What is shown for people to look at."""

    n_images: int = Field(ge=1, le=100)
    """Images on the sheet: input, map, mask, overlay."""


class StepsParams(Params):
    """How a network of patches learns."""

    n_steps: int = Field(ge=1)
    """Batches in all; the paper takes 70,000 for a student."""
    batch_size: int = Field(ge=1)
    """Images a step; the paper's 1."""
    learning_rate: float = Field(gt=0)
    """Of Adam; a tenth of it in the last twentieth of the steps."""
    weight_decay: float = Field(ge=0)
    """Of Adam."""
    p_hard: float = Field(ge=0, lt=1)
    """Share of a step's differences that count for nothing because they are small already."""
    steps_per_epoch: int = Field(ge=1)
    """Steps between two checkpoints, each with a look at valid."""
    seed: int = Field(ge=0)
    """Of initial weights, order and dropout."""


class DistillingParams(StepsParams):
    """How a patch network is taught by a trunk."""

    refit_images: int = Field(ge=0)
    """Images that its last convolution is solved for by least squares after the steps, if that is closer on valid; 0
    for none, as in the paper."""


class PenaltyImagesParams(Params):
    """Images of anything but the part, which a student must not learn to describe."""

    folder: str | None
    """A folder of photographs, as ImageNet's; null draws images that have the edges and spectra of photographs."""
    seed: int = Field(ge=0)
    """Of every choice."""


class TeacherParams(Params):
    """Whom the student imitates on good images."""

    kind: Literal["auto", "pdn", "distilled", "slices"]
    """`pdn`: a patch network distilled elsewhere. `distilled`: one distilled here from the trunk. `slices`: the trunk's own
    maps. `auto`: pdn if its file is there, else distilled."""
    weights: str
    """For `pdn`: a path, or `auto` for pdn_<size>.safetensors in `folder`."""
    folder: str
    """Where pretrained weights lie."""
    distilling: DistillingParams
    """For `distilled`."""


class StudentParams(Params):
    """The student and how it learns."""

    size: Literal["small", "medium"]
    """Of the patch network: EfficientAD-S or -M."""
    training: StepsParams
    """How it learns."""
    penalty_images: PenaltyImagesParams
    """Images of the penalty, which the student must not learn to describe."""


class CheckParams(Params):
    """How a fitted student is looked at, on valid alone."""

    n_blemishes: int = Field(ge=1)
    """Blemished copies of each image."""
    max_images: int = Field(ge=1)
    """Images looked at, spread evenly over valid."""
    min_auroc: float = Field(gt=0.5, lt=1)
    """AUROC of blemished against clean images below which the student counts as collapsed."""
    seed: int = Field(ge=0)
    """Of the blemishes."""
