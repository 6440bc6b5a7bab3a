"""nothing → raw. Draw a small weld shop, and images of welds, in the layouts of public data sets."""

from weld_pipeline.pipelines.sample_data.pipeline import create_pipeline

__all__ = ["create_pipeline"]
