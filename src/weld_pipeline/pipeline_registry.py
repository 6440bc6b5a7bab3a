"""What `kedro run --pipeline=…` knows, in the order of the flow."""

from pathlib import Path

from kedro.pipeline import Pipeline

from weld_pipeline.pipelines import (
    anomaly_detector,
    evaluation,
    export,
    image_classifier,
    ingestion,
    inspection,
    sample_data,
    video_classifier,
)

# Steps that cut across families: each is a pipeline made from its tag.
STEPS = ("feature_extraction", "training", "calibration", "evaluation", "export", "inspection")

# A recipe of the image classifier is a file of parameters; its name is the namespace.
_RECIPES = Path(__file__).parents[2] / "conf" / "base"
_RECIPE_PREFIX = "parameters_recipe_"


def register_pipelines() -> dict[str, Pipeline]:
    """Return every pipeline by name.

    A stage bears its own name, a family's or a detector's runs its whole chain from raw data to a verdict, a step's name runs
    that step for every family, and `__default__` runs all families. Sample data stay outside `__default__`, which
    reads whatever lies in data/01_raw.
    """
    recipes = image_recipes()
    image_ingestion = sum((ingestion.create_image_pipeline(recipe) for recipe in recipes), Pipeline([]))
    detectors = {name: _anomaly_detector(name) for name in anomaly_detector.DETECTORS}
    seams = ingestion.create_image_pipeline(anomaly_detector.SOURCE)
    families = {
        "video_classifier": ingestion.create_pipeline() + _video_classifier(),
        "image_classifier": image_ingestion + sum(map(_image_classifier, recipes), Pipeline([])),
        "anomaly_detector": seams + sum(detectors.values(), Pipeline([])) + anomaly_detector.create_comparison(),
    }
    everything = sum(families.values(), Pipeline([]))
    return {
        "__default__": everything,
        "sample_data": sample_data.create_pipeline(),
        "ingestion": ingestion.create_pipeline(),
        "image_ingestion": image_ingestion + seams,
        **families,
        **{name: seams + detector for name, detector in detectors.items()},
        **{step: everything.only_nodes_with_tags(step) for step in STEPS},
    }


def image_recipes() -> list[str]:
    """Return the names of the image classifier's recipes, one for each file `parameters_recipe_<name>.yml`."""
    return sorted(path.stem.removeprefix(_RECIPE_PREFIX) for path in _RECIPES.glob(f"{_RECIPE_PREFIX}*.yml"))


def _video_classifier() -> Pipeline:
    """Return what follows ingestion: features, training, calibration, evaluation, bundle, verdicts."""
    family = "video_classifier"
    return (
        video_classifier.create_pipeline()
        + evaluation.create_pipeline(family, extras=("calibration", "anomaly_scores", "weights", "curves"))
        + export.create_pipeline(family)
        + inspection.create_pipeline(family)
    )


def _image_classifier(recipe: str) -> Pipeline:
    """Return what follows a recipe's ingestion: images, training, calibration, evaluation, bundle, verdicts."""
    return (
        image_classifier.create_pipeline(recipe)
        + evaluation.create_pipeline(recipe, extras=("calibration", "weights", "curves"), media="image")
        + export.create_image_pipeline(recipe)
        + inspection.create_image_pipeline(recipe)
    )


def _anomaly_detector(detector: anomaly_detector.Detector) -> Pipeline:
    """Return what follows ingestion for one detector: fit, maps, threshold, evaluation, bundle, verdicts."""
    source = anomaly_detector.SOURCE
    fitted = ("curves", "fit_check") if detector == "student_teacher" else ()
    extras = ("calibration", "weights", *fitted)
    return (
        anomaly_detector.create_pipeline(detector)
        + evaluation.create_pipeline(detector, extras=extras, media="image", source=source)
        + export.create_detector_pipeline(detector, source=source)
        + inspection.create_detector_pipeline(detector, source=source)
    )
