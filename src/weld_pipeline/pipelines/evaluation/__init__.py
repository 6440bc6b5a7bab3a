"""model output → reporting. Say what a family's predictions are worth, with intervals and beside what could be guessed."""

from weld_pipeline.pipelines.evaluation.pipeline import create_pipeline

__all__ = ["create_pipeline"]
