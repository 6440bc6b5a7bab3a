"""The parity gate for images: from the file on disk onward, the bundle and torch must say the same."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float

from weld_pipeline.core.errors import WeldError
from weld_pipeline.deploy.parity.gate import Tolerances, check_within, distance, relative
from weld_pipeline.media.images import read_image
from weld_pipeline.media.views import crop_views
from weld_pipeline.nn.image.graph import ImageGraph
from weld_pipeline.runtime.bundle import Bundle
from weld_pipeline.runtime.description import BundleDescription
from weld_pipeline.runtime.image.inspector import WeldClassifier
from weld_pipeline.runtime.image.verdict import ImageVerdict, decide

Views = Literal["centre", "ten"]


@dataclass(frozen=True)
class ImageParity:
    """What was found on one image, seen in the centre and in ten views.

    Attributes:
        sample_id: The image.
        max_p_difference: Largest difference of a probability, graph against torch.
        max_score_difference: Relative difference of the score, graph against torch.
        n_label_flips: In how many of the two ways graph and torch gave another class or verdict.
        table_max_p_difference: Largest difference of a probability from the predictions of the pipeline.
        table_flips: True if the class differs from the predictions of the pipeline.
        table_margin: By how much the pipeline's first class leads its second.
    """

    sample_id: str
    max_p_difference: float
    max_score_difference: float
    n_label_flips: int
    table_max_p_difference: float
    table_flips: bool
    table_margin: float


@dataclass(frozen=True)
class _Reference:
    """What torch says of an image."""

    p: Float[np.ndarray, " P"]
    score: float
    predicted: str
    verdict: str


def check_image_parity(
    candidate: Bundle,
    module: ImageGraph,
    images: Mapping[str, Path],
    table: Mapping[str, Mapping[Any, Any]],
    *,
    tolerances: Tolerances,
) -> dict[str, Any]:
    """Return how far bundle and torch differ on some files, as JSON values; every number is within tolerance.

    Args:
        candidate: As read from disk.
        module: What was exported, in float32.
        images: Sample id to file, at least one.
        table: Sample id to its row of the pipeline's predictions.
        tolerances: What may differ.

    Raises:
        WeldError: Naming the image and the numbers, if they differ by more, or if there was nothing to compare.
    """
    if not images:
        raise WeldError("parity: no image to compare; choose a split that has some")
    classifiers: dict[Views, WeldClassifier] = {
        "centre": WeldClassifier(candidate, tta=False),
        "ten": WeldClassifier(candidate, tta=True),
    }
    reference = module.eval().float()
    found = []
    for sample_id, path in images.items():
        compared = _compare(classifiers, reference, sample_id, path, table[sample_id])
        check_within(
            tolerances,
            name=f"image {sample_id}",
            key="export.image_parity",
            n_label_flips=compared.n_label_flips,
            p=compared.max_p_difference,
            score=compared.max_score_difference,
            table_p=compared.table_max_p_difference,
        )
        found.append(compared)
    return {
        "n_images": len(found),
        "n_label_flips": sum(image.n_label_flips for image in found),
        "max_p_difference": max(image.max_p_difference for image in found),
        "max_score_difference": max(image.max_score_difference for image in found),
        "n_table_flips": sum(image.table_flips for image in found),
        "table_max_p_difference": max(image.table_max_p_difference for image in found),
        "tolerances": asdict(tolerances),
        "images": [asdict(image) for image in found],
    }


def _compare(
    classifiers: Mapping[Views, WeldClassifier], module: ImageGraph, sample_id: str, path: Path, row: Mapping[Any, Any]
) -> ImageParity:
    bundle = classifiers["centre"].bundle
    description = bundle.description
    said = {kind: classifier.predict(path) for kind, classifier in classifiers.items()}
    pairs = [(verdict, _torch(module, path, kind, description)) for kind, verdict in said.items()]
    usual = said[bundle.image.views]
    names = [f"p_{name}" for name in description.classes] + ["p_defect"] * (description.threshold is not None)
    second, first = np.sort([row[f"p_{name}"] for name in description.classes])[-2:]
    return ImageParity(
        sample_id=sample_id,
        max_p_difference=max(distance(_numbers(got), expected.p) for got, expected in pairs),
        max_score_difference=max(relative(got.score, expected.score) for got, expected in pairs),
        n_label_flips=sum((got.predicted, got.verdict) != (exp.predicted, exp.verdict) for got, exp in pairs),
        table_max_p_difference=distance(_numbers(usual), np.array([row[name] for name in names], float)),
        table_flips=bool(row["predicted"] != usual.predicted),
        table_margin=float(first - second),
    )


@torch.inference_mode()
def _torch(module: ImageGraph, path: Path, kind: Views, description: BundleDescription) -> _Reference:
    preprocess = module.classifier.preprocess
    views = crop_views(kind, resized_px=preprocess.resized_px, crop_px=preprocess.crop_px)
    outputs = module(torch.from_numpy(read_image(path))[None], torch.from_numpy(views))
    values = {name: output[0] for name, output in zip(module.output_names, outputs, strict=True)}
    predicted = description.classes[int(values["probabilities"].argmax())]
    p_defect = float(values["p_defect"]) if "p_defect" in values else None
    return _Reference(
        p=np.array([*values["probabilities"].tolist(), *([] if p_defect is None else [p_defect])]),
        score=float(values["score"]),
        predicted=predicted,
        verdict=decide(predicted, p_defect, description),
    )


def _numbers(verdict: ImageVerdict) -> Float[np.ndarray, " P"]:
    """Return every probability of a verdict in a row."""
    p_defect = [] if verdict.p_defect is None else [verdict.p_defect]
    return np.array([*verdict.probabilities.values(), *p_defect])
