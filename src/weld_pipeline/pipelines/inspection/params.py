"""Parameters of `inspection`."""

from pydantic import Field

from weld_pipeline.pipelines.params import Params, Split


class InspectionParams(Params):
    """Which samples are inspected and timed, and how."""

    splits: tuple[Split, ...] = Field(min_length=1)
    """Splits that samples come from: the first of these that holds any."""
    n_samples: int = Field(ge=1, le=1000)
    """Samples that are inspected: a good weld first, then one of each defect in turn."""
    n_timed: int = Field(ge=1, le=10_000)
    """Samples drawn at random to be timed; all where there are fewer."""
    n_threads: int = Field(ge=0, le=256)
    """Threads of the network; 0 takes one a core."""
    seed: int = Field(ge=0)
    """Seed of the draw."""
