"""models → delivery. One graph from file to verdict, held against torch, released as a bundle."""

from weld_pipeline.pipelines.export import anomaly, image, video
from weld_pipeline.pipelines.export.pipeline import create_pipeline

__all__ = ["anomaly", "create_pipeline", "image", "video"]
