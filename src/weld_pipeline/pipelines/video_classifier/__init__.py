"""primary → feature → model input → models → model output. Clips to features, autoencoder, classifier, predictions."""

from weld_pipeline.pipelines.video_classifier.pipeline import create_pipeline

__all__ = ["create_pipeline"]
