"""primary → predictions. Learn what good welds look like, say how far others are from it, and where."""

from weld_pipeline.pipelines.anomaly_detector.pipeline import DETECTORS, create_comparison, create_pipeline, extras

__all__ = ["DETECTORS", "create_comparison", "create_pipeline", "extras"]
