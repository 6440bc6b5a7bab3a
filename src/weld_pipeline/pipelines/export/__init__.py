"""models → models. One graph from frames to verdict, held against torch, released as a bundle."""

from weld_pipeline.pipelines.export.pipeline import create_pipeline

__all__ = ["create_pipeline"]
