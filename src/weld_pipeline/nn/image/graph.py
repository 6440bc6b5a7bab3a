"""The assembled image classifier: uint8 images of any size and views in, probabilities out."""

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn

from weld_pipeline.nn.calibrated import Calibration, defect_score
from weld_pipeline.nn.image.classifier import ImageClassifier, soft_vote

INPUT_NAMES = ("images", "views")


class ImageGraph(nn.Module):
    """Resize, views, network, soft vote and calibration as one graph.

    An image is resized once, however many views of it are seen.
    """

    def __init__(self, *, classifier: ImageClassifier, good_index: int, calibration: Calibration | None) -> None:
        """Join trained parts.

        Args:
            classifier: Of crops.
            good_index: Position of the good class.
            calibration: Of its logits and score; None where there was nothing to calibrate on.
        """
        super().__init__()
        self.classifier = classifier
        self.good_index = good_index
        self.calibration = calibration
        self.eval().requires_grad_(requires_grad=False)

    @property
    def output_names(self) -> tuple[str, ...]:
        """Return the names of the outputs in order; `p_defect` is there only if calibrated."""
        names = ("logits", "probabilities", "score")
        return names if self.calibration is None else (*names, "p_defect")

    def forward(self, images: UInt8[Tensor, "N H W 3"], views: Int[Tensor, "V 3"]) -> tuple[Float[Tensor, "N *K"], ...]:
        """Return logits, probabilities, score and, if calibrated, p_defect.

        `logits` are the log of the mean probability over the views; `score` is the log-odds of "not good" in them.
        """
        resized = self.classifier.preprocess.resize(images)
        return self.from_resized(resized, views)

    def from_resized(
        self, resized: UInt8[Tensor, "N R R C"], views: Int[Tensor, "V 3"]
    ) -> tuple[Float[Tensor, "N *K"], ...]:
        """Return the outputs for images at the size they are cached at."""
        crops = self.classifier.preprocess.crop(resized, views)
        logits = soft_vote(self.classifier.classify_crops(crops.flatten(0, 1)), views.shape[0])
        score = defect_score(logits, good_index=self.good_index)
        if self.calibration is None:
            return logits, torch.softmax(logits, dim=-1), score
        probabilities = torch.softmax(logits / self.calibration.temperature, dim=-1)
        p_defect = torch.sigmoid(-(self.calibration.platt_a * score + self.calibration.platt_b))
        return logits, probabilities, score, p_defect
