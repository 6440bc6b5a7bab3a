"""Image parity: from the file on disk onward, in the centre and in ten views, bundle and torch must say the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from weld_pipeline.deploy.parity.gate import Compare, SampleParity, distance, relative
from weld_pipeline.engines.session import Engine
from weld_pipeline.media.image_errors import MAX_PROBED_PIXELS
from weld_pipeline.media.images import read_image
from weld_pipeline.media.views import crop_views
from weld_pipeline.nn.image.graph import ImageGraph
from weld_pipeline.runtime.bundle import Bundle
from weld_pipeline.runtime.contracts import ViewsInput
from weld_pipeline.runtime.description import BundleDescription
from weld_pipeline.runtime.image.graph import OUTPUTS
from weld_pipeline.runtime.image.inspector import WeldClassifier
from weld_pipeline.runtime.image.verdict import ImageVerdict

Views = Literal["centre", "ten"]


@dataclass(frozen=True)
class _Reference:
    """What torch says of an image."""

    p: Float[np.ndarray, " P"]
    score: float
    predicted: str
    verdict: str


def comparison(bundle: Bundle, module: ImageGraph, engine: Engine) -> Compare:
    """Return how an image bundle on an engine is compared with torch and with the predictions of the pipeline.

    `probability` is the largest difference of any probability, `score` that of the score relative to its size or 1,
    `table_probability` that from the predictions, which are made from stored images, perhaps in bfloat16.
    """
    description = bundle.description
    classifiers: dict[Views, WeldClassifier] = {
        "centre": WeldClassifier(bundle, engine=engine, tta=False, max_pixels=MAX_PROBED_PIXELS),
        "ten": WeldClassifier(bundle, engine=engine, tta=True, max_pixels=MAX_PROBED_PIXELS),
    }
    reference = module.eval().float()

    def compare(sample_id: str, path: Path, row: Mapping[Any, Any]) -> SampleParity:
        verdicts = {kind: classifier.inspect(path) for kind, classifier in classifiers.items()}
        contract = bundle.fed(ViewsInput)
        image = read_image(
            path, max_pixels=MAX_PROBED_PIXELS, sample_bits=description.sample_bits, jpeg_px=contract.jpeg_px
        )
        fed = torch.from_numpy(contract.fed(image))
        pairs = [(verdict, _torch(reference, fed, kind, description)) for kind, verdict in verdicts.items()]
        usual = verdicts[contract.views]
        names = [f"p_{name}" for name in description.classes] + ["p_defect"] * (usual.p_defect is not None)
        return SampleParity(
            sample_id=sample_id,
            n_compared=len(pairs),
            differences={
                "probability": max(distance(_numbers(got), expected.p) for got, expected in pairs),
                "score": max(relative(got.score, expected.score) for got, expected in pairs),
                "table_probability": distance(_numbers(usual), np.array([row[name] for name in names], float)),
            },
            flips=tuple(
                f"{got.predicted}, {got.verdict} by the graph and {expected.predicted}, {expected.verdict} by torch"
                for got, expected in pairs
                if (got.predicted, got.verdict) != (expected.predicted, expected.verdict)
            ),
            table_flips=bool(row["predicted"] != usual.predicted),
        )

    return compare


@torch.inference_mode()
def _torch(
    module: ImageGraph, image: UInt8[Tensor, "1 h w C"], kind: Views, description: BundleDescription
) -> _Reference:
    preprocess = module.classifier.preprocess
    views = crop_views(kind, resized_px=preprocess.resized_px, crop_px=preprocess.crop_px)
    outputs = module(image, torch.from_numpy(views))
    values = {name: output[0].numpy() for name, output in zip(OUTPUTS, outputs, strict=True)}
    predicted = description.classes[int(values["probabilities"].argmax())]
    verdict, p_defect = description.decision.decide(score=float(values["score"]), predicted=predicted)
    return _Reference(
        p=np.array([*values["probabilities"].tolist(), *([] if p_defect is None else [p_defect])]),
        score=float(values["score"]),
        predicted=predicted,
        verdict=verdict,
    )


def _numbers(verdict: ImageVerdict) -> Float[np.ndarray, " P"]:
    """Return every probability of a verdict in a row."""
    p_defect = [] if verdict.p_defect is None else [verdict.p_defect]
    return np.array([*verdict.probabilities.values(), *p_defect])
