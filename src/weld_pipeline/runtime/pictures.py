"""From a picture to a verdict."""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from weld_pipeline.core.errors import WeldError
from weld_pipeline.media.views import crop_views
from weld_pipeline.runtime.bundle import Bundle, load_bundle
from weld_pipeline.runtime.picture_graph import PictureGraph, PictureScores
from weld_pipeline.runtime.picture_verdict import PictureTiming, PictureVerdict, decide
from weld_pipeline.runtime.reading import PictureBytes, ReadPicture, read, read_ahead
from weld_pipeline.runtime.verdict import NotInspected


class WeldClassifier:
    """An image bundle, loaded once, that judges any number of pictures.

    Example: `WeldClassifier("bundle").predict("weld.png").label`

    Args:
        bundle: The folder of a bundle, whose hashes are checked, or one loaded already.
        tta: Whether ten views of each picture vote, ten times the work of the network, or the centre alone decides.
            By default what the bundle was calibrated and measured with.
        n_threads: Threads of the network; 0 takes one a core.

    Attributes:
        bundle: What judges.

    Raises:
        WeldError: If the bundle cannot be believed, or inspects video.
    """

    def __init__(self, bundle: Bundle | Path | str, *, tta: bool | None = None, n_threads: int = 0) -> None:
        self.bundle = bundle if isinstance(bundle, Bundle) else load_bundle(bundle)
        self._graph = PictureGraph(self.bundle, n_threads=n_threads)
        contract = self._graph.contract
        kind = contract.views if tta is None else ("ten" if tta else "centre")
        self._views = crop_views(kind, resized_px=contract.resized_px, crop_px=contract.crop_px)

    def predict(self, picture: Path | str | PictureBytes | np.ndarray) -> PictureVerdict:
        """Return the verdict on one picture.

        Args:
            picture: A file, the bytes of one, or upright RGB pixels as uint8 [H, W, 3].

        Raises:
            WeldError: If the picture cannot be used, or the graph gives no finite answer.
        """
        if isinstance(picture, np.ndarray):
            _check_pixels(picture)
            scores, network_s = self._run(picture[None])
            timing = PictureTiming(decode_s=0.0, network_s=network_s, total_s=network_s)
            return self._verdict(scores, 0, pixels=picture, timing=timing)
        found = read(Path(picture) if isinstance(picture, str) else picture)
        scores, network_s = self._run(found.pixels[None])
        return self._of_file(found, scores, 0, network_s)

    def predict_batch(
        self, pictures: Iterable[Path | str | PictureBytes | NotInspected]
    ) -> list[PictureVerdict | NotInspected]:
        """Return a verdict a picture, in order; see `predict_each`."""
        return list(self.predict_each(pictures))

    def predict_each(
        self, pictures: Iterable[Path | str | PictureBytes | NotInspected]
    ) -> Iterator[PictureVerdict | NotInspected]:
        """Yield a verdict a picture, in order, as they are made.

        Pictures of one size go through the network together, and the next ones are decoded meanwhile. A picture that
        cannot be used does not lose the others: in its place stands a `NotInspected` that says why, which has no
        `label`, so nobody takes it for a pass.

        Args:
            pictures: Files, bytes of files, or entries of `find_files`.

        Raises:
            WeldError: If the graph gives no finite answer.
        """
        for chunk in read_ahead(Path(each) if isinstance(each, str) else each for each in pictures):
            yield from self._judge(chunk)

    def _judge(self, chunk: Sequence[ReadPicture | NotInspected]) -> list[PictureVerdict | NotInspected]:
        """Return the verdicts on a chunk, one call of the network for each size in it."""
        by_size: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for index, entry in enumerate(chunk):
            if isinstance(entry, ReadPicture):
                by_size[entry.pixels.shape].append(index)
        results: dict[int, PictureVerdict] = {}
        for indices in by_size.values():
            alike = [entry for entry in (chunk[index] for index in indices) if isinstance(entry, ReadPicture)]
            scores, network_s = self._run(np.stack([entry.pixels for entry in alike]))
            for row, (index, entry) in enumerate(zip(indices, alike, strict=True)):
                results[index] = self._of_file(entry, scores, row, network_s / len(alike))
        return [entry if isinstance(entry, NotInspected) else results[i] for i, entry in enumerate(chunk)]

    def _run(self, images: UInt8[np.ndarray, "N H W 3"]) -> tuple[PictureScores, float]:
        began = time.perf_counter()
        scores = self._graph.run(images, self._views)
        return scores, time.perf_counter() - began

    def _of_file(self, found: ReadPicture, scores: PictureScores, row: int, network_s: float) -> PictureVerdict:
        timing = PictureTiming(found.decode_s, network_s, found.decode_s + found.hash_s + network_s)
        return self._verdict(scores, row, pixels=found.pixels, timing=timing, path=found.path, sha256=found.sha256)

    def _verdict(
        self,
        scores: PictureScores,
        row: int,
        *,
        pixels: UInt8[np.ndarray, "H W 3"],
        timing: PictureTiming,
        path: str | None = None,
        sha256: str | None = None,
    ) -> PictureVerdict:
        description = self.bundle.description
        probabilities = dict(zip(description.classes, map(float, scores.probabilities[row]), strict=True))
        predicted = max(probabilities, key=probabilities.__getitem__)
        p_defect = None if scores.p_defect is None else float(scores.p_defect[row])
        return PictureVerdict(
            path=path,
            sha256=sha256,
            width=pixels.shape[1],
            height=pixels.shape[0],
            verdict=decide(predicted, p_defect, description),
            predicted=predicted,
            confidence=probabilities[predicted],
            probabilities=probabilities,
            p_defect=p_defect,
            threshold=description.threshold,
            score=float(scores.score[row]),
            n_views=len(self._views),
            timing=timing,
        )


def _check_pixels(picture: np.ndarray) -> None:
    # The graph would take no other, but say so in words of its own.
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:  # noqa: PLR2004
        raise WeldError(
            f"picture: an array of {picture.dtype} with shape {picture.shape}, expected RGB pixels as uint8 "
            "[height, width, 3]; give the file itself, or convert it"
        )
