"""models → model_output. Inspect a few test samples with the finished bundle, as the line will."""

from weld_pipeline.pipelines.inspection.pipeline import create_detector_pipeline, create_image_pipeline, create_pipeline

__all__ = ["create_detector_pipeline", "create_image_pipeline", "create_pipeline"]
