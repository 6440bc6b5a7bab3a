"""raw → primary. Index, probe, split and audit the footage."""

from weld_pipeline.pipelines.ingestion.pipeline import create_pipeline

__all__ = ["create_pipeline"]
