"""Wiring of `inspection`: one template for every video family, one for every image recipe, one for every detector."""

from kedro.pipeline import Node, Pipeline

from weld_pipeline.pipelines.inspection import nodes


def create_pipeline(family: str) -> Pipeline:
    """Return the pipeline from a family's bundle to verdicts, in its namespace.

    Args:
        family: Namespace; `<family>.bundle` is what inspects.
    """
    return Pipeline(
        [
            Node(
                nodes.inspect_videos,
                ["bundle", "manifest", "raw_footage", "params:inspection.videos"],
                "verdicts",
                name="inspect_videos",
            ),
            Node(nodes.draw_timelines, ["verdicts", "bundle"], "timelines", name="draw_timelines"),
        ],
        namespace=family,
        inputs={"manifest", "raw_footage"},
        parameters={"params:inspection.videos"},
        tags={"inspection"},
        prefix_datasets_with_namespace=True,
    )


def create_image_pipeline(recipe: str) -> Pipeline:
    """Return the pipeline from a recipe's bundle to verdicts and a timing report, in its namespace.

    Args:
        recipe: Namespace of everything; `<recipe>.bundle` is what inspects.
    """
    inputs = ["bundle", "manifest", "raw_images", "params:inspection.images"]
    return Pipeline(
        [
            Node(nodes.inspect_images, inputs, "verdicts", name="inspect_images"),
            Node(nodes.time_images, inputs, "timing", name="time_images"),
        ],
        namespace=recipe,
        parameters={"params:inspection.images"},
        tags={"inspection"},
        prefix_datasets_with_namespace=True,
    )


def create_detector_pipeline(detector: str, *, source: str) -> Pipeline:
    """Return the pipeline from a detector's bundle to verdicts and a timing report, in its namespace.

    Args:
        detector: Namespace; `<detector>.bundle` is what inspects.
        source: Namespace of manifest and images, which detectors share.
    """
    inputs = ["bundle", "manifest", "raw_images", "params:inspection.images"]
    return Pipeline(
        [
            Node(nodes.detect_anomalies, inputs, "verdicts", name="detect_anomalies"),
            Node(nodes.time_images, inputs, "timing", name="time_images"),
        ],
        namespace=detector,
        inputs={name: f"{source}.{name}" for name in ("manifest", "raw_images")},
        parameters={"params:inspection.images"},
        tags={"inspection"},
        prefix_datasets_with_namespace=True,
    )
