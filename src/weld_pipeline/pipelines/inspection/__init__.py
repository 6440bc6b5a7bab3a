"""delivery → delivery. Inspect and time a few test samples with the finished bundle, as the line will."""

from weld_pipeline.pipelines.inspection.pipeline import create_pipeline, create_timelines

__all__ = ["create_pipeline", "create_timelines"]
