"""reporting → delivery. One page a model, a data set and a family, with everything that was drawn and counted of it."""

from weld_pipeline.pipelines.overview.pipeline import create_pipeline

__all__ = ["create_pipeline"]
