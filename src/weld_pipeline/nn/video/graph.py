"""Graph of a video classifier: uint8 frames and a running state in, probabilities of the run so far out."""

from typing import Literal, NamedTuple

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.saved_model import SavedModel
from weld_pipeline.nn.calibrated import class_probabilities, defect_score
from weld_pipeline.nn.state import load_tensors
from weld_pipeline.nn.video.autoencoder import Autoencoder, reconstruction_error
from weld_pipeline.nn.video.classifier import LatentClassifier
from weld_pipeline.nn.video.standardizer import FeatureStatistics, Standardizer
from weld_pipeline.nn.video.trunk import VideoTrunk, restore_trunk


class Outputs(NamedTuple):
    """Results of one call, in the order of the graph's outputs.

    Attributes:
        clip_probabilities: Class probabilities of each clip alone.
        clip_anomaly: Reconstruction error of each clip under the autoencoder of good welds.
        latent_sum_out: State: sum of latents so far.
        anomaly_sum_out: State: sum of errors so far.
        n_clips_out: State: clips so far.
        probabilities: Class probabilities of the run so far, temperature-scaled.
        score: Log-odds of "not good" of the run so far, uncalibrated; higher is worse.
        anomaly: Mean error of the run so far.
    """

    clip_probabilities: Float[Tensor, "N K"]
    clip_anomaly: Float[Tensor, " N"]
    latent_sum_out: Float[Tensor, " L"]
    anomaly_sum_out: Float[Tensor, " 1"]
    n_clips_out: Float[Tensor, " 1"]
    probabilities: Float[Tensor, " K"]
    score: Float[Tensor, " 1"]
    anomaly: Float[Tensor, " 1"]


class VideoClassifier(nn.Module):
    """Trunk, standardiser, both autoencoders, classifier and temperature as one graph.

    The state is three sums that start at zero. So a run of any length needs the memory of one batch of clips, and a live
    run gives after each clip the result of a file that ends there.
    """

    def __init__(
        self,
        *,
        trunk: VideoTrunk,
        source: Literal["embedding", "logits"],
        statistics: FeatureStatistics,
        autoencoder: Autoencoder,
        good_autoencoder: Autoencoder,
        classifier: LatentClassifier,
        temperature: float,
        good_index: int,
    ) -> None:
        """Join trained parts.

        Args:
            source: Output of the trunk that the features come from; as many as the statistics have are kept.
            autoencoder: Autoencoder of all welds, whose latent is classified.
            good_autoencoder: Autoencoder of good welds, whose error is the anomaly score.
            temperature: Divisor of the logits before the softmax.
        """
        super().__init__()
        self.trunk = trunk
        self.source = source
        self.n_features = len(statistics.mean)
        self.standardizer = Standardizer(statistics)
        self.autoencoder = autoencoder
        self.good_autoencoder = good_autoencoder
        self.classifier = classifier
        self.temperature = temperature
        self.good_index = good_index
        self.eval().requires_grad_(requires_grad=False)

    @property
    def latent_size(self) -> int:
        """Return L, the length of `latent_sum`."""
        return int(self.autoencoder.architecture["latent"])

    def zero_state(self) -> tuple[Float[Tensor, " L"], Float[Tensor, " 1"], Float[Tensor, " 1"]]:
        """Return the state before the first clip."""
        return torch.zeros(self.latent_size), torch.zeros(1), torch.zeros(1)

    def forward(
        self,
        frames: UInt8[Tensor, "N T H W 3"],
        latent_sum: Float[Tensor, " L"],
        anomaly_sum: Float[Tensor, " 1"],
        n_clips: Float[Tensor, " 1"],
    ) -> Outputs:
        embedding, logits = self.trunk(frames)
        features = embedding if self.source == "embedding" else logits
        return self.from_features(features, latent_sum, anomaly_sum, n_clips)

    def from_features(
        self,
        features: Float[Tensor, "N _"],
        latent_sum: Float[Tensor, " L"],
        anomaly_sum: Float[Tensor, " 1"],
        n_clips: Float[Tensor, " 1"],
    ) -> Outputs:
        """Return the outputs for the trunk's features, not yet standardised."""
        standardized = self.standardizer(features[:, : self.n_features])
        latent = self.autoencoder.encoder(standardized)
        clip_anomaly = reconstruction_error(self.good_autoencoder(standardized)[0], standardized)
        latent_sum_out = latent_sum + latent.sum(dim=0)
        anomaly_sum_out = anomaly_sum + clip_anomaly.sum(dim=0, keepdim=True)
        n_clips_out = n_clips + features.shape[0]
        logits = self.classifier((latent_sum_out / n_clips_out)[None])[0]
        score = defect_score(logits, good_index=self.good_index)[None]
        return Outputs(
            clip_probabilities=class_probabilities(self.classifier(latent), temperature=self.temperature),
            clip_anomaly=clip_anomaly,
            latent_sum_out=latent_sum_out,
            anomaly_sum_out=anomaly_sum_out,
            n_clips_out=n_clips_out,
            probabilities=class_probabilities(logits, temperature=self.temperature),
            score=score,
            anomaly=anomaly_sum_out / n_clips_out,
        )


def restore_autoencoder(model: SavedModel) -> Autoencoder:
    """Return the autoencoder a model file holds."""
    autoencoder = Autoencoder(**model.architecture)
    load_tensors(autoencoder, model.tensors)
    return autoencoder.eval()


def restore_classifier(model: SavedModel) -> LatentClassifier:
    """Return the classifier a model file holds."""
    classifier = LatentClassifier(**model.architecture)
    load_tensors(classifier, model.tensors)
    return classifier.eval()


def assemble(
    *,
    trunk: SavedModel,
    standardizer: SavedModel,
    autoencoder: SavedModel,
    good_autoencoder: SavedModel,
    classifier: SavedModel,
    temperature: float,
) -> VideoClassifier:
    """Return the whole classifier from its saved parts.

    Args:
        temperature: Divisor of the logits, fitted on the calib split.

    Raises:
        WeldError: If the parts do not belong together.
    """
    fingerprint = trunk.provenance["fingerprint"]
    if standardizer.provenance["trunk"] != fingerprint:
        raise WeldError(
            f"standardizer was fitted on features of trunk {standardizer.provenance['trunk'][:12]}, not {fingerprint[:12]}; "
            "run video_classifier again from the features on"
        )
    classes = classifier.provenance["classes"]
    return VideoClassifier(
        trunk=restore_trunk(trunk),
        source=standardizer.architecture["source"],
        statistics=FeatureStatistics(
            standardizer.tensors["mean"], standardizer.tensors["std"], standardizer.training["n_rows"]
        ),
        autoencoder=restore_autoencoder(autoencoder),
        good_autoencoder=restore_autoencoder(good_autoencoder),
        classifier=restore_classifier(classifier),
        temperature=temperature,
        good_index=classes.index(classifier.provenance["good_class"]),
    )
