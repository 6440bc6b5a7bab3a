"""Graph of an image classifier: uint8 squares, or images of any size, and views in, probabilities out."""

from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn

from weld_pipeline.nn.calibrated import class_probabilities, defect_score
from weld_pipeline.nn.image.classifier import ImageClassifier, soft_vote


class ImageGraph(nn.Module):
    """Views, network, soft vote and temperature as one graph."""

    def __init__(
        self, *, classifier: ImageClassifier, good_index: int, temperature: float, resizes: bool = False
    ) -> None:
        """Join trained parts.

        Args:
            temperature: Divisor of the logits before the softmax; 1 where nothing was fitted.
            resizes: Whether the graph takes images of any size and resizes them itself.
        """
        super().__init__()
        self.resizes = resizes
        self.classifier = classifier
        self.good_index = good_index
        self.temperature = temperature
        self.eval().requires_grad_(requires_grad=False)

    def forward(self, images: UInt8[Tensor, "N h w C"], views: Int[Tensor, "V 3"]) -> tuple[Float[Tensor, "N *K"], ...]:
        """Return logits, probabilities and score, in this order.

        `logits` are the log of the mean probability over the views; `score` is the log-odds of "not good" in them.

        Args:
            images: Squares of `media.resize.resize_to_square`; RGB of any size where the graph resizes.
        """
        preprocess = self.classifier.preprocess
        crops = preprocess.crop(preprocess.resize(images) if self.resizes else images, views)
        logits = soft_vote(self.classifier.classify_crops(crops.flatten(0, 1)), views.shape[0])
        score = defect_score(logits, good_index=self.good_index)
        return logits, class_probabilities(logits, temperature=self.temperature), score
