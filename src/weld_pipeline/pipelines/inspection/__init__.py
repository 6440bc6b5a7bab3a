"""models → model_output. Inspect a few test videos with the finished bundle, as the line will."""

from weld_pipeline.pipelines.inspection.pipeline import create_pipeline

__all__ = ["create_pipeline"]
