"""primary → model output. Resize the images, train a recipe's network, calibrate it, and show what it looks at."""

from weld_pipeline.pipelines.image_classifier.pipeline import create_pipeline

__all__ = ["create_pipeline"]
