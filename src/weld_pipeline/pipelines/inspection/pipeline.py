"""Wiring of `inspection`, one template for every family."""

from kedro.pipeline import Pipeline

from weld_pipeline.pipelines.family import Family
from weld_pipeline.pipelines.inspection import nodes
from weld_pipeline.pipelines.step import box, step


def create_pipeline(family: Family, member: str) -> Pipeline:
    """Return the pipeline from a member's bundle to verdicts and a timing report, in its namespace."""
    params = f"params:inspection.{family.inspection}"
    inputs = ["bundle", "manifest", "raw", params]
    template = Pipeline(
        [step(nodes.inspect_samples, inputs, "verdicts"), step(nodes.time_samples, inputs, "timing")],
        tags={"inspection"},
    )
    inspected = Pipeline(
        box("delivery", template),
        namespace=member,
        inputs=family.ingested("manifest", "raw"),
        parameters={params},
        prefix_datasets_with_namespace=True,
    )
    return inspected + (family.show_verdicts(member) if family.show_verdicts else Pipeline([]))


def create_timelines(member: str) -> Pipeline:
    """Return what draws a video family's verdicts along time and bead, in its namespace."""
    timelines = step(nodes.draw_timelines, ["verdicts", "bundle"], "timelines", tags={"inspection"})
    return Pipeline(box("delivery", [timelines]), namespace=member, prefix_datasets_with_namespace=True)
