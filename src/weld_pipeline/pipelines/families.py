"""Families: one entry each. The registry, the stages and the contract test loop over this list."""

from pathlib import Path

from weld_pipeline.pipelines import anomaly_detector, export, image_classifier, inspection, video_classifier
from weld_pipeline.pipelines.family import Bundling, Family

# A recipe of the image classifier is a file of parameters; its name is the namespace.
_RECIPES = Path(__file__).parents[3] / "conf" / "base" / "parameters_recipes"


def image_recipes() -> tuple[str, ...]:
    """Return the names of the image classifier's recipes, one for each file in `parameters_recipes`."""
    return tuple(sorted(path.stem for path in _RECIPES.glob("*.yml")))


VIDEO_CLASSIFIER = Family(
    name="video_classifier",
    media="video",
    members=("video_classifier",),
    source="footage",
    learn=video_classifier.create_pipeline,
    extras=lambda _: ("anomaly_scores", "curves"),
    bundling=Bundling(
        parts=("trunk", "standardizer", "autoencoder", "good_autoencoder", "classifier", "decision"),
        assemble=export.video.assemble_graph,
        learned=("trunk", "classifier"),
        export_graph=export.video.export_graph,
        parity="video",
    ),
    inspection="videos",
    show_verdicts=inspection.create_timelines,
)
IMAGE_CLASSIFIER = Family(
    name="image_classifier",
    media="image",
    members=image_recipes(),
    source=None,
    learn=image_classifier.create_pipeline,
    extras=lambda _: ("curves",),
    bundling=Bundling(
        parts=("classifier", "decision"),
        assemble=export.image.assemble_graph,
        learned=("classifier",),
        export_graph=export.image.export_graph,
        parity="image",
        settings=("self_contained",),
    ),
    inspection="images",
)
ANOMALY_DETECTOR = Family(
    name="anomaly_detector",
    media="image",
    members=anomaly_detector.DETECTORS,
    source="anomaly_detector",
    learn=anomaly_detector.create_pipeline,
    extras=anomaly_detector.extras,
    bundling=Bundling(
        parts=("detector",),
        assemble=export.anomaly.assemble_graph,
        learned=("detector", "map_range"),
        export_graph=export.anomaly.export_graph,
        parity="anomaly",
        settings=("self_contained",),
        parameters=(("tiling", "tiling"),),
    ),
    inspection="images",
    compare=anomaly_detector.create_comparison,
)
FAMILIES = (VIDEO_CLASSIFIER, IMAGE_CLASSIFIER, ANOMALY_DETECTOR)
