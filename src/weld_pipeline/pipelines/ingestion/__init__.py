"""raw → primary. Index, probe, split and audit footage and images."""

from weld_pipeline.pipelines.ingestion.pipeline import create_image_pipeline, create_pipeline

__all__ = ["create_image_pipeline", "create_pipeline"]
