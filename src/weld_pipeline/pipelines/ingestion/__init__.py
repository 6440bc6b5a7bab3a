"""raw → primary. Index, probe, split and audit what is there; what cannot be used is a row with a reason."""

from weld_pipeline.pipelines.ingestion.pipeline import create_pipeline

__all__ = ["create_pipeline"]
