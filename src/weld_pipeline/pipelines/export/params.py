"""Parameters of `export`."""

from pydantic import Field, PositiveFloat

from weld_pipeline.engines.session import Engine
from weld_pipeline.pipelines.params import Params, Split


class ParityParams(Params):
    """How a bundle on disk is held against torch in float32 and against the predictions of the pipeline."""

    splits: tuple[Split, ...] = Field(min_length=1)
    """Splits that samples come from: the first of these that holds any."""
    n_samples: int = Field(ge=1, le=1000)
    """Samples that are compared, from the file on disk onward."""
    engines: tuple[Engine, ...] = Field(min_length=1)
    """Engines that must agree with torch."""


class ClassifierTolerances(Params):
    """Largest differences of a classifier of images or videos."""

    probability: PositiveFloat
    """Any probability, graph against torch."""
    score: PositiveFloat
    """Score, and of videos the anomaly, relative to their size or 1."""
    table_probability: PositiveFloat
    """Any probability against the predictions, which may rest on bfloat16. A class may differ only where its lead is below
    twice this much."""


class DetectorTolerances(Params):
    """Largest differences of an anomaly detector. No verdict may differ."""

    score: PositiveFloat
    """Score, graph against torch, relative to its size or the threshold's, whichever is larger."""
    map: PositiveFloat
    """Any value of a map, graph against torch, in shares of the range that is coloured."""
    table_score: PositiveFloat
    """Score against the predictions, relative as above."""
    table_probability: PositiveFloat
    """`p_defect` against the predictions."""


class VideoParityParams(ParityParams):
    """The same for videos."""

    n_clips: int = Field(ge=1)
    """Clips of each video that torch sees too, after each of which everything is compared; the graph sees all."""
    tolerances: ClassifierTolerances
    """What may differ."""


class ImageParityParams(ParityParams):
    """The same for images, each seen in the centre and in ten views."""

    tolerances: ClassifierTolerances
    """What may differ."""


class AnomalyParityParams(ParityParams):
    """The same for anomaly detectors."""

    tolerances: DetectorTolerances
    """What may differ."""
