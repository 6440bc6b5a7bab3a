"""nothing → raw. Draw a small weld shop in the layout of the Intel Robotic Welding data set."""

from weld_pipeline.pipelines.sample_data.pipeline import create_pipeline

__all__ = ["create_pipeline"]
