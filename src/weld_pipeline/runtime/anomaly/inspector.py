"""From an image to a score, a map and a verdict."""

import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from weld_pipeline.core.labels import ANOMALOUS
from weld_pipeline.engines.session import Engine
from weld_pipeline.media.tiles import cut
from weld_pipeline.runtime.anomaly.graph import DetectorGraph
from weld_pipeline.runtime.anomaly.verdict import AnomalyVerdict, TileMaps
from weld_pipeline.runtime.batches import judge_each
from weld_pipeline.runtime.bundle import Bundle, load_bundle
from weld_pipeline.runtime.image_reader import ImageBytes, ReadImage, read
from weld_pipeline.runtime.timing import ImageTiming
from weld_pipeline.runtime.verdicts import NotInspected


class WeldDetector:
    """An anomaly detector's bundle, loaded once, that judges any number of images.

    Example: `WeldDetector("bundle").inspect("weld.png").score`

    Args:
        bundle: The folder of a bundle, whose hashes are checked, or one loaded already.
        n_threads: Threads of the network; 0 takes one a core.
        engine: `onnxruntime`, or `openvino`, which is faster for most graphs and a second slower to start.

    Attributes:
        bundle: What judges.

    Raises:
        WeldError: If the bundle cannot be believed, or is no detector's.
    """

    def __init__(self, bundle: Bundle | Path | str, *, n_threads: int = 0, engine: Engine = "onnxruntime") -> None:
        self.bundle = bundle if isinstance(bundle, Bundle) else load_bundle(bundle)
        self._graph = DetectorGraph(self.bundle, n_threads=n_threads, engine=engine)
        self._rule = self.bundle.detector_rule

    def inspect(self, image: Path | str | ImageBytes | np.ndarray) -> AnomalyVerdict:
        """Return the verdict on one image.

        Args:
            image: A file, the bytes of one, or upright RGB pixels as uint8 [H, W, 3].

        Raises:
            WeldError: If the image cannot be used, or the graph gives no finite answer.
        """
        (verdict,) = self._judge([read(image)])
        return verdict

    def inspect_each(
        self, images: Iterable[Path | str | ImageBytes | NotInspected]
    ) -> Iterator[AnomalyVerdict | NotInspected]:
        """Yield a verdict an image, in order, as they are made.

        Images of one size go through the network together, and the next ones are decoded meanwhile. An image that
        cannot be used does not lose the others: in its place stands a `NotInspected` that says why. Every verdict holds
        its map: whoever keeps many keeps `verdict.without_map()`.

        Args:
            images: Files, bytes of files, or entries of `find_files`.

        Raises:
            WeldError: If the graph gives no finite answer.
        """
        for result in self.inspect_with_pixels(images):
            yield result if isinstance(result, NotInspected) else result[1]

    def inspect_with_pixels(
        self, images: Iterable[Path | str | ImageBytes | NotInspected]
    ) -> Iterator[tuple[ReadImage, AnomalyVerdict] | NotInspected]:
        """Yield the same with the decoded images beside, to draw on."""
        return judge_each(images, self._judge)

    def _judge(self, alike: Sequence[ReadImage]) -> list[AnomalyVerdict]:
        """Return the verdicts on images of one size, whose tiles go through the network together."""
        began = time.perf_counter()
        boxes = self._graph.contract.boxes(*alike[0].pixels.shape[:2])
        scores, levels = self._graph.run(np.concatenate([cut(found.pixels, boxes) for found in alike]))
        share_s = (time.perf_counter() - began) / len(alike)
        n_tiles = len(boxes)
        verdicts = []
        for row, found in enumerate(alike):
            own = slice(row * n_tiles, (row + 1) * n_tiles)
            # A copy, so that one verdict that is kept does not keep the whole batch.
            tiles = TileMaps(tuple(boxes), scores[own].copy(), levels[own].copy())
            verdicts.append(self._verdict(found, tiles, network_s=share_s))
        return verdicts

    def _verdict(self, found: ReadImage, tiles: TileMaps, *, network_s: float) -> AnomalyVerdict:
        rule, score = self._rule, float(tiles.scores.max())
        height, width = found.pixels.shape[:2]
        is_bad = score >= rule.score_threshold
        return AnomalyVerdict(
            path=found.path,
            sha256=found.sha256,
            width=width,
            height=height,
            verdict="fail" if is_bad else "pass",
            predicted=ANOMALOUS if is_bad else self.bundle.description.good_class,
            score=score,
            score_threshold=rule.score_threshold,
            p_defect=rule.p_defect(score),
            n_tiles=len(tiles.boxes),
            regions=tiles.regions(rule.map_threshold, height=height, width=width),
            timing=ImageTiming.of(found, network_s=network_s),
            tiles=tiles,
        )
