"""models → models. One graph from file to verdict, held against torch, released as a bundle."""

from weld_pipeline.pipelines.export.pipeline import create_detector_pipeline, create_image_pipeline, create_pipeline

__all__ = ["create_detector_pipeline", "create_image_pipeline", "create_pipeline"]
