"""What `kedro run --pipeline=…` knows, in the order of the flow."""

from kedro.pipeline import Pipeline

from weld_pipeline.pipelines import evaluation, export, ingestion, inspection, sample_data, video_classifier

# Steps that cut across families: each is a pipeline made from its tag.
STEPS = ("feature_extraction", "training", "calibration", "evaluation", "export", "inspection")


def register_pipelines() -> dict[str, Pipeline]:
    """Return every pipeline by name.

    A stage bears its own name, a family's name runs its whole chain from raw footage to a verdict, a step's name runs
    that step for every family, and `__default__` runs all families. Sample data stay outside `__default__`, which
    reads whatever lies in data/01_raw.
    """
    families = {"video_classifier": ingestion.create_pipeline() + _video_classifier()}
    everything = sum(families.values(), Pipeline([]))
    return {
        "__default__": everything,
        "sample_data": sample_data.create_pipeline(),
        "ingestion": ingestion.create_pipeline(),
        **families,
        **{step: everything.only_nodes_with_tags(step) for step in STEPS},
    }


def _video_classifier() -> Pipeline:
    """Return what follows ingestion: features, training, calibration, evaluation, bundle, verdicts."""
    family = "video_classifier"
    return (
        video_classifier.create_pipeline()
        + evaluation.create_pipeline(family, extras=("calibration", "anomaly_scores", "weights", "curves"))
        + export.create_pipeline(family)
        + inspection.create_pipeline(family)
    )
