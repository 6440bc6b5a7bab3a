"""From an image to a verdict."""

import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from weld_pipeline.engines.session import Engine
from weld_pipeline.media.views import crop_views
from weld_pipeline.runtime.batches import judge_each
from weld_pipeline.runtime.bundle import Bundle, load_bundle
from weld_pipeline.runtime.image.graph import ImageGraph, ImageScores
from weld_pipeline.runtime.image.verdict import ImageVerdict, decide
from weld_pipeline.runtime.image_reader import ImageBytes, ReadImage, read
from weld_pipeline.runtime.timing import ImageTiming
from weld_pipeline.runtime.verdicts import NotInspected


class WeldClassifier:
    """An image bundle, loaded once, that judges any number of images.

    Example: `WeldClassifier("bundle").predict("weld.png").label`

    Args:
        bundle: The folder of a bundle, whose hashes are checked, or one loaded already.
        tta: Whether ten views of each image vote, ten times the work of the network, or the centre alone decides.
            By default what the bundle was calibrated and measured with.
        n_threads: Threads of the network; 0 takes one a core.
        engine: `onnxruntime`, or `openvino`, which is faster for most graphs and a second slower to start.

    Attributes:
        bundle: What judges.

    Raises:
        WeldError: If the bundle cannot be believed, or inspects video.
    """

    def __init__(
        self,
        bundle: Bundle | Path | str,
        *,
        tta: bool | None = None,
        n_threads: int = 0,
        engine: Engine = "onnxruntime",
    ) -> None:
        self.bundle = bundle if isinstance(bundle, Bundle) else load_bundle(bundle)
        self._graph = ImageGraph(self.bundle, n_threads=n_threads, engine=engine)
        contract = self._graph.contract
        kind = contract.views if tta is None else ("ten" if tta else "centre")
        self._views = crop_views(kind, resized_px=contract.resized_px, crop_px=contract.crop_px)

    def predict(self, image: Path | str | ImageBytes | np.ndarray) -> ImageVerdict:
        """Return the verdict on one image.

        Args:
            image: A file, the bytes of one, or upright RGB pixels as uint8 [H, W, 3].

        Raises:
            WeldError: If the image cannot be used, or the graph gives no finite answer.
        """
        (verdict,) = self._judge([read(image)])
        return verdict

    def predict_batch(
        self, images: Iterable[Path | str | ImageBytes | NotInspected]
    ) -> list[ImageVerdict | NotInspected]:
        """Return a verdict an image, in order; see `predict_each`."""
        return list(self.predict_each(images))

    def predict_each(
        self, images: Iterable[Path | str | ImageBytes | NotInspected]
    ) -> Iterator[ImageVerdict | NotInspected]:
        """Yield a verdict an image, in order, as they are made.

        Images of one size go through the network together, and the next ones are decoded meanwhile. An image that
        cannot be used does not lose the others: in its place stands a `NotInspected` that says why, which has no
        `label`, so nobody takes it for a pass.

        Args:
            images: Files, bytes of files, or entries of `find_files`.

        Raises:
            WeldError: If the graph gives no finite answer.
        """
        for result in judge_each(images, self._judge):
            yield result if isinstance(result, NotInspected) else result[1]

    def _judge(self, alike: Sequence[ReadImage]) -> list[ImageVerdict]:
        """Return the verdicts on images of one size, from one call of the network."""
        began = time.perf_counter()
        scores = self._graph.run(np.stack([found.pixels for found in alike]), self._views)
        share_s = (time.perf_counter() - began) / len(alike)
        return [self._verdict(found, scores, row, network_s=share_s) for row, found in enumerate(alike)]

    def _verdict(self, found: ReadImage, scores: ImageScores, row: int, *, network_s: float) -> ImageVerdict:
        description = self.bundle.description
        probabilities = dict(zip(description.classes, map(float, scores.probabilities[row]), strict=True))
        predicted = max(probabilities, key=probabilities.__getitem__)
        p_defect = None if scores.p_defect is None else float(scores.p_defect[row])
        return ImageVerdict(
            path=found.path,
            sha256=found.sha256,
            width=found.pixels.shape[1],
            height=found.pixels.shape[0],
            verdict=decide(predicted, p_defect, description),
            predicted=predicted,
            confidence=probabilities[predicted],
            probabilities=probabilities,
            p_defect=p_defect,
            threshold=description.threshold,
            score=float(scores.score[row]),
            n_views=len(self._views),
            timing=ImageTiming.of(found, network_s=network_s),
        )
