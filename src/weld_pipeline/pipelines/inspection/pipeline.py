"""Wiring of `inspection`, one template for every family."""

from kedro.pipeline import Node, Pipeline

from weld_pipeline.pipelines.family import Family
from weld_pipeline.pipelines.inspection import nodes


def create_pipeline(family: Family, member: str) -> Pipeline:
    """Return the pipeline from a member's bundle to verdicts and a timing report, in its namespace."""
    params = f"params:inspection.{family.inspection}"
    inputs = ["bundle", "manifest", "raw", params]
    template = Pipeline(
        [
            Node(nodes.inspect_samples, inputs, "verdicts", name="inspect_samples"),
            Node(nodes.time_samples, inputs, "timing", name="time_samples"),
        ],
        tags={"inspection"},
    )
    inspected = Pipeline(
        template,
        namespace=member,
        inputs=family.ingested("manifest", "raw"),
        parameters={params},
        prefix_datasets_with_namespace=True,
    )
    return inspected + (family.show_verdicts(member) if family.show_verdicts else Pipeline([]))


def create_timelines(member: str) -> Pipeline:
    """Return what draws a video family's verdicts along time and bead, in its namespace."""
    return Pipeline(
        [Node(nodes.draw_timelines, ["verdicts", "bundle"], "timelines", name="draw_timelines", tags={"inspection"})],
        namespace=member,
        prefix_datasets_with_namespace=True,
    )
