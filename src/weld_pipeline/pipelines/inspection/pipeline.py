"""Wiring of `inspection`, one template for every video family."""

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
                ["bundle", "manifest", "raw_footage", "params:inspection"],
                "verdicts",
                name="inspect_videos",
            ),
            Node(nodes.draw_timelines, ["verdicts", "bundle"], "timelines", name="draw_timelines"),
        ],
        namespace=family,
        inputs={"manifest", "raw_footage"},
        parameters={"params:inspection"},
        tags={"inspection"},
        prefix_datasets_with_namespace=True,
    )
