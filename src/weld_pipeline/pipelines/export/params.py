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
    n_parts: int | None = Field(ge=1)
    """Clips of each video that torch sees too; the graph sees all. null: all, as of images, whose views and tiles are few."""
    engines: tuple[Engine, ...] = Field(min_length=1)
    """Engines that must agree with torch."""
    tolerances: dict[str, PositiveFloat]
    """Largest difference of each number; which a family compares stands in `deploy.parity`."""
