"""Anomaly inspector: from an image to a score, a map and a verdict."""

import io
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from weld_pipeline import runtime
from weld_pipeline.core.errors import WeldError
from weld_pipeline.core.labels import ANOMALOUS
from weld_pipeline.engines.session import Engine
from weld_pipeline.media.heatmaps import anomaly_overlay
from weld_pipeline.media.image_errors import MAX_PIXELS
from weld_pipeline.runtime.anomaly.graph import DetectorGraph
from weld_pipeline.runtime.anomaly.verdict import AnomalyVerdict, TileMaps
from weld_pipeline.runtime.bundle import Bundle, load_bundle
from weld_pipeline.runtime.image_inspector import ImageInspector
from weld_pipeline.runtime.image_reader import Preparation, ReadImage
from weld_pipeline.runtime.records import store_verdict
from weld_pipeline.runtime.timing import ImageTiming
from weld_pipeline.runtime.verdicts import NotInspected


class WeldDetector(ImageInspector[AnomalyVerdict]):
    """An anomaly detector's bundle, loaded once, that judges any number of images.

    Example: `WeldDetector("bundle").inspect("weld.png").score`

    Args:
        bundle: Folder of a bundle, whose hashes are checked, or one loaded already.
        engine: `onnxruntime`, or `openvino`, which is faster for most graphs and a second slower to start.
        n_threads: Threads of the network; 0 takes one a core.
        max_pixels: Larger images are refused before they are decoded.

    Attributes:
        bundle: What judges. Every verdict holds pixels and map: whoever keeps many keeps `verdict.compact()`.

    Raises:
        WeldError: If the bundle cannot be believed, or is no detector's.
    """

    OPTIONS: ClassVar[frozenset[str]] = frozenset({"max_pixels"})

    def __init__(
        self,
        bundle: Bundle | Path | str,
        *,
        engine: Engine = "onnxruntime",
        n_threads: int = 0,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        self.bundle = bundle if isinstance(bundle, Bundle) else load_bundle(bundle)
        self._graph = DetectorGraph(self.bundle, n_threads=n_threads, engine=engine)
        self._preparation = Preparation(
            self._graph.contract.fed,
            keeps_pixels=True,
            max_pixels=max_pixels,
            sample_bits=self._graph.contract.sample_bits,
        )

    def table(self, results: Iterable[AnomalyVerdict | NotInspected]) -> Any:
        """Return a table of results for a terminal, as rich prints it; a program that shows none need not load rich."""
        return runtime.anomaly.table.anomaly_table(results, self.bundle)

    def store(self, folder: Path, verdict: AnomalyVerdict) -> Path:
        """Return the new file that keeps a verdict, beside which lies its map over the image.

        Args:
            folder: Made if it is not there.
            verdict: With its map and pixels.

        Raises:
            WeldError: If the folder cannot be written to, or the verdict was kept without its map.
        """
        if verdict.pixels is None:
            raise WeldError(f"verdict on {verdict.path}: it was kept without its pixels; inspect the image again")
        colours = self._graph.contract.map_range
        drawn = anomaly_overlay(
            verdict.pixels, verdict.anomaly_map, low=colours.low, high=colours.high, threshold=colours.threshold
        )
        png = io.BytesIO()
        Image.fromarray(drawn).save(png, format="PNG")
        return store_verdict(folder, verdict, self.bundle, overlay=png.getvalue())

    def _judge(self, alike: Sequence[ReadImage]) -> list[AnomalyVerdict]:
        """Return the verdicts on images of as many tiles, which go through the network together."""
        began = time.perf_counter()
        scores, levels = self._graph.run(np.concatenate([found.fed for found in alike]))
        share_s = (time.perf_counter() - began) / len(alike)
        n_tiles = len(alike[0].fed)
        verdicts = []
        for row, found in enumerate(alike):
            own = slice(row * n_tiles, (row + 1) * n_tiles)
            boxes = self._graph.contract.boxes(found.height, found.width)
            # A copy, so that one verdict that is kept does not keep the whole batch.
            tiles = TileMaps(tuple(boxes), scores[own].copy(), levels[own].copy())
            verdicts.append(self._verdict(found, tiles, network_s=share_s))
        return verdicts

    def _verdict(self, found: ReadImage, tiles: TileMaps, *, network_s: float) -> AnomalyVerdict:
        description, score = self.bundle.description, float(tiles.scores.max())
        verdict, p_defect = description.decision.decide(score=score, predicted=None)
        return AnomalyVerdict(
            path=found.path,
            sha256=found.sha256,
            width=found.width,
            height=found.height,
            verdict=verdict,
            predicted=ANOMALOUS if verdict == "fail" else description.good_class,
            score=score,
            p_defect=p_defect,
            n_tiles=len(tiles.boxes),
            regions=tiles.regions(self._graph.contract.map_range.threshold, height=found.height, width=found.width),
            timing=ImageTiming.of(found, network_s=network_s),
            warnings=found.warnings,
            tiles=tiles,
            pixels=found.pixels,
        )
