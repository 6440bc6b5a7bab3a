"""Image inspector: from an image to class, probability and verdict."""

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from weld_pipeline import runtime
from weld_pipeline.engines.session import Engine
from weld_pipeline.media.image_errors import MAX_PIXELS
from weld_pipeline.media.views import crop_views
from weld_pipeline.runtime.bundle import Bundle, load_bundle
from weld_pipeline.runtime.image.graph import ImageGraph, ImageScores
from weld_pipeline.runtime.image.verdict import ImageVerdict
from weld_pipeline.runtime.image_inspector import ImageInspector
from weld_pipeline.runtime.image_reader import ImageBytes, Preparation, ReadImage
from weld_pipeline.runtime.records import store_verdict
from weld_pipeline.runtime.timing import ImageTiming
from weld_pipeline.runtime.verdicts import NotInspected


class WeldClassifier(ImageInspector[ImageVerdict]):
    """An image bundle, loaded once, that judges any number of images.

    Example: `WeldClassifier("bundle").predict("weld.png").label`

    Args:
        bundle: Folder of a bundle, whose hashes are checked, or one loaded already.
        engine: `onnxruntime`, or `openvino`, which is faster for most graphs and a second slower to start.
        n_threads: Threads of the network; 0 takes one a core.
        max_pixels: Larger images are refused before they are decoded.
        tta: Whether ten views of each image vote, ten times the work of the network, or the centre alone decides.
            By default what the bundle was calibrated and measured with.

    Attributes:
        bundle: What judges.

    Raises:
        WeldError: If the bundle cannot be believed, or does not classify images.
    """

    OPTIONS: ClassVar[frozenset[str]] = frozenset({"tta", "max_pixels"})

    def __init__(
        self,
        bundle: Bundle | Path | str,
        *,
        engine: Engine = "onnxruntime",
        n_threads: int = 0,
        tta: bool | None = None,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        self.bundle = bundle if isinstance(bundle, Bundle) else load_bundle(bundle)
        self._graph = ImageGraph(self.bundle, n_threads=n_threads, engine=engine)
        contract = self._graph.contract
        self._preparation = Preparation(
            contract.fed,
            keeps_pixels=False,
            max_pixels=max_pixels,
            sample_bits=contract.sample_bits,
            jpeg_px=contract.jpeg_px,
        )
        kind = contract.views if tta is None else ("ten" if tta else "centre")
        self._views = crop_views(kind, resized_px=contract.resized_px, crop_px=contract.crop_px)

    def predict(self, source: Path | str | ImageBytes | np.ndarray) -> ImageVerdict:
        """Return the verdict on one image; see `inspect`."""
        return self.inspect(source)

    def predict_batch(
        self, images: Iterable[Path | str | ImageBytes | NotInspected]
    ) -> list[ImageVerdict | NotInspected]:
        """Return a verdict an image, in order; see `inspect_each`. A `NotInspected` has no `label`: it is no pass."""
        return list(self.inspect_each(images))

    def table(self, results: Iterable[ImageVerdict | NotInspected]) -> Any:
        """Return a table of results for a terminal, as rich prints it; a program that shows none need not load rich."""
        return runtime.image.table.image_table(results, self.bundle)

    def store(self, folder: Path, verdict: ImageVerdict) -> Path:
        """Return the new file that keeps a verdict; see `records.store_verdict`."""
        return store_verdict(folder, verdict, self.bundle)

    def _judge(self, alike: Sequence[ReadImage]) -> list[ImageVerdict]:
        """Return the verdicts on images that are fed alike, from one call of the network."""
        began = time.perf_counter()
        scores = self._graph.run(np.concatenate([found.fed for found in alike]), self._views)
        share_s = (time.perf_counter() - began) / len(alike)
        return [self._verdict(found, scores, row, network_s=share_s) for row, found in enumerate(alike)]

    def _verdict(self, found: ReadImage, scores: ImageScores, row: int, *, network_s: float) -> ImageVerdict:
        description = self.bundle.description
        probabilities = dict(zip(description.classes, map(float, scores.probabilities[row]), strict=True))
        predicted, score = max(probabilities, key=probabilities.__getitem__), float(scores.score[row])
        verdict, p_defect = description.decision.decide(score=score, predicted=predicted)
        return ImageVerdict(
            path=found.path,
            sha256=found.sha256,
            width=found.width,
            height=found.height,
            verdict=verdict,
            predicted=predicted,
            confidence=probabilities[predicted],
            probabilities=probabilities,
            p_defect=p_defect,
            score=score,
            n_views=len(self._views),
            timing=ImageTiming.of(found, network_s=network_s),
            warnings=found.warnings,
        )
